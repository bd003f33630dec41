// The hand on the browser.

import { chromium } from 'playwright-core'

const TIMEOUT_MS = 15_000
export const PASSWORD = 'plum tin walrus 41 harbour'

export const SESSION = '__Host-counterfoil-session'
export const REFRESH = '__Host-counterfoil-refresh'
export const ACCESS = '__Host-counterfoil-access'

// The gateway's certificate is accepted by its key and not by looking away from all errors: so the browser treats the
// origins as it treats any https site, `Clear-Site-Data` included.
export function launch(executablePath, certificate) {
  return chromium.launch({
    executablePath,
    timeout: 60_000, // for the first start on a slow machine
    chromiumSandbox: false, // it visits nothing but this machine, and root and containers have no sandbox
    args: [
      '--headless',
      '--disable-gpu',
      '--disable-quic',
      '--no-first-run',
      '--no-proxy-server',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
      `--ignore-certificate-errors-spki-list=${certificate.pin}`,
    ],
  })
}

let people = 0

// Somebody with an account and a browser profile of their own, on a page of the server's own origin.
export class Person {
  static async signUp(browser, gateway) {
    const person = new Person()
    person.gateway = gateway
    person.email = `person${++people}@example.com`
    person.context = await browser.newContext()
    person.context.setDefaultTimeout(TIMEOUT_MS)
    person.page = await person.openPage(`${gateway.ownUrl}/test-page`)
    const { email } = person
    const { status, text } = await person.ask('POST', '/v1/accounts', { email, password: PASSWORD })
    if (status !== 201) throw new Error(`the sign-up was answered ${status} ${text}`)
    return person
  }

  async signIn(options) {
    const reply = await this.ask('POST', '/v1/sessions', { email: this.email, password: PASSWORD, ...options })
    if (reply.status !== 201) throw new Error(`the sign-in was answered ${reply.status} ${reply.text}`)
    this.accessToken = reply.json.access_token
    return reply
  }

  leave() {
    return this.context.close()
  }

  async openPage(url) {
    const page = await this.context.newPage()
    await page.goto(url)
    return page
  }

  // What the browser keeps for our origin, by name.
  async cookies() {
    const cookies = await this.context.cookies(this.gateway.ownUrl)
    return Object.fromEntries(cookies.map((cookie) => [cookie.name, cookie]))
  }

  async cookie(name) {
    const cookie = (await this.cookies())[name]
    if (!cookie) throw new Error(`the browser keeps no ${name}`)
    return cookie
  }

  // A request by script from the own page, let in by what cookies there are, or else by `bearer`.
  ask(method, path, json, { bearer } = {}) {
    const headers = json === undefined ? {} : { 'content-type': 'application/json' }
    if (bearer) headers.authorization = `Bearer ${bearer}`
    return fetchIn(this.page, path, { method, headers, body: json && JSON.stringify(json) })
  }

  // What a forged request would have changed: the ids of sessions and personal tokens, and the cookies' values.
  async standing() {
    const cookies = await this.cookies()
    const bearer = cookies[SESSION] || cookies[ACCESS] ? undefined : this.accessToken
    const ids = async (path, member) => {
      const { status, json } = await this.ask('GET', path, undefined, { bearer })
      if (status !== 200) throw new Error(`GET ${path} was answered ${status}: the session no longer works`)
      return json[member].map(({ id }) => id)
    }
    return {
      sessions: await ids('/v1/sessions', 'sessions'),
      tokens: await ids('/v1/personal-tokens', 'personal_tokens'),
      cookies: Object.values(cookies)
        .map(({ name, value }) => `${name}=${value}`)
        .sort(),
    }
  }

  // Opens somebody's page, and there presses the button of a form.
  async submitForm(from, { action, enctype, fields = {} }) {
    const page = await this.openPage(from)
    await page.evaluate(
      ({ action, enctype, fields }) => {
        const form = Object.assign(document.createElement('form'), { method: 'post', action, enctype })
        for (const [name, value] of Object.entries(fields)) {
          form.append(Object.assign(document.createElement('input'), { type: 'hidden', name, value }))
        }
        form.append(Object.assign(document.createElement('button'), { textContent: 'Win a walrus' }))
        document.body.append(form)
      },
      { action, enctype, fields },
    )
    await page.click('button')
  }

  // Opens somebody's page, and there follows a link.
  async followLink(from, href) {
    const page = await this.openPage(from)
    await page.evaluate((href) => {
      document.body.append(Object.assign(document.createElement('a'), { href, textContent: 'Look' }))
    }, href)
    await page.click('a')
  }
}

// What a script in this page gets to see of a request: everything, or the error that the browser makes of it.
export function fetchIn(page, url, init) {
  return page.evaluate(
    async ({ url, init }) => {
      try {
        const reply = await fetch(url, init)
        const text = await reply.text()
        let json
        try {
          json = JSON.parse(text)
        } catch {}
        return { status: reply.status, type: reply.type, headers: Object.fromEntries(reply.headers), text, json }
      } catch (error) {
        return { error: String(error) }
      }
    },
    { url, init },
  )
}
