// The reverse proxy in front of the server, and the sites of others.
//
// The proxy keeps a journal of what went through it: only there can be seen whether the browser sent a cookie along with
// a request whose answer it shows to no script.

import http from 'node:http'
import https from 'node:https'
import { setTimeout as sleep } from 'node:timers/promises'

import { selfMade } from './certificate.mjs'

const PAGE = '<!doctype html><meta charset="utf-8"><title>A page</title><link rel="icon" href="data:,"><p>A page.'
const WAIT_MS = 10_000

export class Gateway {
  journal = []
  upstream = undefined // `http://127.0.0.1:PORT`, once known
  // What it does beside passing on, each for the checks that ask for it: see faults.mjs for their form.
  quirks = []

  // Listens with the server's own origin and two others, on free ports of this machine.
  static async open() {
    const gateway = new Gateway()
    gateway.certificate = selfMade('localhost', '127.0.0.1')
    const page = (_, reply) => reply.writeHead(200, { 'content-type': 'text/html' }).end(PAGE)
    gateway.listeners = [
      https.createServer(gateway.certificate, (request, reply) => {
        if (request.url === '/test-page') return page(request, reply)
        gateway.#pass(request, reply).catch((error) => reply.writeHead(502).end(`no answer: ${error.message}`))
      }),
      https.createServer(gateway.certificate, page),
      https.createServer(gateway.certificate, page),
    ]
    const [own, neighbour, stranger] = await Promise.all(gateway.listeners.map(listen))
    gateway.ownUrl = `https://localhost:${own}`
    gateway.neighbourUrl = `https://localhost:${neighbour}` // another origin of the same site
    gateway.strangerUrl = `https://127.0.0.1:${stranger}` // another site
    return gateway
  }

  close() {
    for (const listener of this.listeners) {
      listener.close()
      listener.closeAllConnections()
    }
  }

  async #pass(request, reply) {
    const entry = entryFor(request)
    const headers = { ...request.headers }
    const passedBy = headers['x-forwarded-for']
    headers['x-forwarded-for'] = [passedBy, request.socket.remoteAddress].filter(Boolean).join(', ')
    for (const quirk of this.quirks) quirk.onRequest?.(headers, entry)
    let answer = this.quirks.map((quirk) => quirk.instead?.(entry, headers)).find(Boolean)
    answer ??= await ask(http, new URL(request.url, this.upstream), request.method, headers, await bytes(request))
    for (const quirk of this.quirks) quirk.onReply?.(answer, entry)
    entry.status = answer.status
    entry.code = codeOf(answer.body)
    entry.sets = answer.headers['set-cookie'] ?? []
    entry.clears = answer.headers['clear-site-data']
    this.journal.push(entry)
    delete answer.headers['transfer-encoding']
    answer.headers['content-length'] = answer.body.length
    reply.writeHead(answer.status, answer.headers).end(answer.body)
  }

  // Does something, and gives what went through meanwhile. `method` and `path` say what to wait for at least.
  async watch(method, path, action) {
    const from = this.journal.length
    await action()
    const deadline = Date.now() + WAIT_MS
    for (;;) {
      const seen = this.journal.slice(from)
      const found = seen.find((entry) => entry.method === method && entry.path === path)
      if (found) return { found, seen }
      if (Date.now() > deadline) throw new Error(`the browser never sent ${method} ${path}`)
      await sleep(20)
    }
  }

  // Does something with a quirk in force.
  async withQuirk(quirk, action) {
    this.quirks.push(quirk)
    try {
      return await action()
    } finally {
      this.quirks = this.quirks.filter((other) => other !== quirk)
    }
  }

  // A request without a browser, as a program sends it, or whoever stole a cookie.
  async askPlainly(method, path, { headers = {}, json } = {}) {
    const body = json === undefined ? undefined : Buffer.from(JSON.stringify(json))
    if (body) headers = { ...headers, 'content-type': 'application/json', 'content-length': body.length }
    const url = new URL(path, this.ownUrl)
    const answer = await ask(https, url, method, headers, body, { ca: this.certificate.cert, agent: false })
    return { status: answer.status, code: codeOf(answer.body) }
  }
}

function entryFor(request) {
  const cookies = (request.headers.cookie ?? '').split('; ').map((pair) => pair.split('=')[0])
  return {
    method: request.method,
    path: request.url,
    cookies: cookies.filter((name) => name !== ''),
    origin: request.headers.origin,
    site: request.headers['sec-fetch-site'],
  }
}

async function listen(listener) {
  await new Promise((resolve, reject) => listener.once('error', reject).listen(0, '127.0.0.1', resolve))
  return listener.address().port
}

async function bytes(stream) {
  const chunks = []
  for await (const chunk of stream) chunks.push(chunk)
  return Buffer.concat(chunks)
}

function ask(protocol, url, method, headers, body, more = {}) {
  return new Promise((resolve, reject) => {
    const request = protocol.request(url, { method, headers, timeout: WAIT_MS, ...more }, async (reply) => {
      const taken = { status: reply.statusCode, headers: { ...reply.headers } }
      bytes(reply).then((body) => resolve({ ...taken, body }), reject)
    })
    request.on('timeout', () => request.destroy(new Error('the server took too long')))
    request.on('error', reject).end(body)
  })
}

// The stable code of a problem (RFC 9457).
function codeOf(body) {
  try {
    return JSON.parse(body.toString()).code
  } catch {
    return undefined
  }
}
