// What a gateway, or a server, could get wrong: to show that each check can fail.
//
// `COUNTERFOIL_BROWSER_FAULT=NAME cargo xtask test --only browser` puts one in force for the whole run; README.md says
// which checks must fail then. A fault (or a quirk of one check) may change the headers of a request before the server
// sees them, answer in the server's place, and change an answer before the browser sees it.

import { SESSION } from './browser.mjs'

const isSignIn = (entry) => entry.method === 'POST' && entry.path === '/v1/sessions'

// Changes every cookie that is set.
const eachCookie = (change) => ({
  onReply(answer) {
    const cookies = answer.headers['set-cookie']
    if (cookies) answer.headers['set-cookie'] = cookies.map(change)
  },
})

// Changes the body of an answer in JSON.
const eachBody = (change) => ({
  onReply(answer, entry) {
    if (!answer.headers['content-type']?.includes('json') || answer.status >= 300) return
    const body = JSON.parse(answer.body.toString())
    change(body, entry, answer)
    answer.body = Buffer.from(JSON.stringify(body))
  },
})

// A gateway whose keeper was told once too often to "fix CORS".
export const everyOriginIsWelcome = {
  instead(entry) {
    if (entry.method !== 'OPTIONS') return undefined
    const headers = {
      'access-control-allow-methods': 'PUT, POST, PATCH, DELETE',
      'access-control-allow-headers': 'content-type',
    }
    return { status: 204, headers, body: Buffer.alloc(0) }
  },
  onReply(answer, entry) {
    answer.headers['access-control-allow-origin'] = entry.origin ?? '*'
    answer.headers['access-control-allow-credentials'] = 'true'
  },
}

export const FAULTS = {
  // Attributes
  'not-secure': eachCookie((cookie) => cookie.replace('; Secure', '')),
  'not-http-only': eachCookie((cookie) => cookie.replace('; HttpOnly', '')),
  'with-a-domain': eachCookie((cookie) => `${cookie}; Domain=localhost`),
  'ends-with-the-browser': eachCookie((cookie) => cookie.replace(/; Max-Age=[1-9]\d*/, '')),
  'lax-everywhere': eachCookie((cookie) => cookie.replace('SameSite=Strict', 'SameSite=Lax')),
  'strict-everywhere': eachCookie((cookie) => cookie.replace('SameSite=Lax', 'SameSite=Strict')),
  'none-everywhere': eachCookie((cookie) => cookie.replace(/SameSite=\w+/, 'SameSite=None')),
  'no-same-site': eachCookie((cookie) => cookie.replace(/; SameSite=\w+/, '')),

  // Secrets and tokens where they do not belong
  'secrets-in-the-answer': eachBody((body, _, answer) => {
    for (const cookie of answer.headers['set-cookie'] ?? []) {
      body.also = [...(body.also ?? []), cookie.split(';')[0].split('=')[1]]
    }
  }),

  // Cookies that get lost, or stay
  'cookies-lost': { onRequest: (headers) => delete headers.cookie },
  'only-first-cookies': {
    onReply(answer, entry) {
      if (!isSignIn(entry)) delete answer.headers['set-cookie']
    },
  },
  'nothing-forgotten': {
    onReply(answer) {
      delete answer.headers['clear-site-data']
      const cookies = answer.headers['set-cookie']
      if (cookies) answer.headers['set-cookie'] = cookies.filter((cookie) => !cookie.includes('Max-Age=0;'))
    },
  },
  'no-clear-site-data': { onReply: (answer) => delete answer.headers['clear-site-data'] },
  'no-set-cookie-at-sign-out': {
    onReply(answer, entry) {
      if (entry.method === 'DELETE') delete answer.headers['set-cookie']
    },
  },
  // A change of password that changes nothing: the old cookie goes on, under a new name for nothing.
  'password-unchanged': {
    instead(entry) {
      if (entry.method !== 'PUT') return undefined
      const cookie = `${SESSION}=cfs_another; Max-Age=600; Path=/; HttpOnly; SameSite=Lax; Secure`
      return { status: 200, headers: { 'set-cookie': [cookie] }, body: Buffer.from('{}') }
    },
  },

  // Guards that are talked over
  'every-origin-is-ours': {
    onRequest(headers) {
      delete headers['sec-fetch-site']
      if (headers.origin) headers.origin = `https://${headers.host}`
    },
  },
  'every-origin-is-welcome': everyOriginIsWelcome,
}
