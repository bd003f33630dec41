// What the browser keeps, what scripts see of it, and what it is good for on our own pages.

import { setTimeout as sleep } from 'node:timers/promises'

import { ACCESS, PASSWORD, REFRESH, SESSION } from './browser.mjs'
import { expect, expectAnswer, expectNot, expectWithout } from './expect.mjs'

export const heading = 'Cookies that are kept'

const SESSION_POLICY = { policy: 'session' }
const REFRESH_COOKIE = { policy: 'refresh', transport: 'cookie' }
const WITH_ACCESS_COOKIE = { ...REFRESH_COOKIE, access_cookie: true }
const RETRY_WINDOW_MS = 1_000 // what the server is started with
const WHOLE_SECONDS_MS = 2_100 // Max-Age counts whole ones
const SLIDING_COOKIE = { policy: 'sliding', transport: 'cookie' }

export async function run(gateway, check) {
  await check(
    'a session cookie is Secure, HttpOnly, SameSite=Lax, for this host and all its paths',
    SESSION_POLICY,
    async (person) => {
      const cookies = await person.cookies()
      expect('cookies', Object.keys(cookies), [SESSION])
      expectKept(cookies[SESSION], 'Lax')
    },
  )

  await check(
    'no script sees it: not in document.cookie, in the answer or in storage',
    SESSION_POLICY,
    async (person, reply) => {
      const { value } = await person.cookie(SESSION)
      const seen = await person.page.evaluate(async () => ({
        names: document.cookie.replace(/=[^;]*/g, ''),
        storage: JSON.stringify([{ ...localStorage }, { ...sessionStorage }, await indexedDB.databases()]),
      }))
      expect('cookies in document.cookie', seen.names, '')
      expectWithout('the answer', reply.text, value)
      expectWithout('a header of the answer', JSON.stringify(reply.headers), value)
      expectWithout('the storage', seen.storage, value)
    },
  )

  await check('a page is known by it, also after a reload', SESSION_POLICY, async (person) => {
    for (const moment of ['at once', 'after a reload']) {
      const { status, json } = await person.ask('GET', '/v1/account')
      expect(`the account ${moment}`, [status, json?.email], [200, person.email])
      await person.page.reload()
    }
  })

  await check('a refresh cookie is SameSite=Strict, and no script sees it', REFRESH_COOKIE, async (person, reply) => {
    const cookies = await person.cookies()
    expect('cookies', Object.keys(cookies), [REFRESH])
    expectKept(cookies[REFRESH], 'Strict')
    const names = await person.page.evaluate(() => document.cookie.replace(/=[^;]*/g, ''))
    expect('cookies in document.cookie', names, '')
    expectWithout('the answer', reply.text, cookies[REFRESH].value)
  })

  await check(
    'a page refreshes by it, without a body, and gets no refresh token to read',
    REFRESH_COOKIE,
    async (person, reply) => {
      const before = (await person.cookie(REFRESH)).value
      // Whoever refreshes again within the retry window is given the same once more; so wait until it is over.
      await sleep(RETRY_WINDOW_MS + 200)
      const { status, json, text } = await person.ask('POST', '/v1/sessions/current/refresh')
      expect('the refresh', status, 200)
      const after = (await person.cookie(REFRESH)).value
      expectNot('the refresh cookie', after, before)
      expect('a refresh token in the answer', json.refresh_token, undefined)
      expectWithout('the answer', text, after)
      expectNot('the access token', json.access_token, reply.json.access_token)
      const account = await person.ask('GET', '/v1/account', undefined, { bearer: json.access_token })
      expectAnswer('the account by the new access token', account, 200)
    },
  )

  await check('an access cookie beside it lets a page in by cookie alone', WITH_ACCESS_COOKIE, async (person) => {
    const cookies = await person.cookies()
    expect('cookies', Object.keys(cookies).sort(), [ACCESS, REFRESH])
    expectKept(cookies[ACCESS], 'Lax')
    expectAnswer('the account', await person.ask('GET', '/v1/account'), 200)
    expect('the refresh', (await person.ask('POST', '/v1/sessions/current/refresh')).status, 200)
    expectNot('the access cookie', (await person.cookie(ACCESS)).value, cookies[ACCESS].value)
    expectAnswer('the account after a refresh', await person.ask('GET', '/v1/account'), 200)
  })

  await check('an extended sliding session has another cookie, which ends later', SLIDING_COOKIE, async (person) => {
    const before = await person.cookie(ACCESS)
    expectKept(before, 'Lax')
    await sleep(WHOLE_SECONDS_MS) // or a later end could be rounded to the same, or one second less
    const { status, json } = await person.ask('POST', '/v1/sessions/current/extend')
    expect('the extension', [status, json?.access_token], [200, undefined])
    const after = await person.cookie(ACCESS)
    expectKept(after, 'Lax')
    expectNot('its value', after.value, before.value)
    expect('it ends later', after.expires > before.expires, true)
    expectAnswer('the account', await person.ask('GET', '/v1/account'), 200)
  })

  await check(
    'a change of password gives the session another cookie, and the old one is refused',
    SESSION_POLICY,
    async (person) => {
      const old = (await person.cookie(SESSION)).value
      const replay = () => gateway.askPlainly('GET', '/v1/account', { headers: { cookie: `${SESSION}=${old}` } })
      expectAnswer('the cookie by itself, before', await replay(), 200)
      const change = { current_password: PASSWORD, new_password: `${PASSWORD} again` }
      expect('the change', (await person.ask('PUT', '/v1/account/password', change)).status, 200)
      const changed = await person.cookie(SESSION)
      expectKept(changed, 'Lax')
      expectNot('its value', changed.value, old)
      expectAnswer('the account by the new cookie', await person.ask('GET', '/v1/account'), 200)
      expect('the old cookie', (await replay()).status, 401)
    },
  )
}

// `__Host-` in the name asks for the rest of it; a browser that did not care would be found out here.
function expectKept(cookie, sameSite) {
  const { secure, httpOnly, path, domain, expires } = cookie
  const found = { secure, httpOnly, sameSite: cookie.sameSite, path, domain, hasEnd: expires > Date.now() / 1000 }
  const expected = { secure: true, httpOnly: true, sameSite, path: '/', domain: 'localhost', hasEnd: true }
  expect(cookie.name, found, expected) // a domain that begins with a dot is for the hosts below, too
}
