// What other people's pages can have the browser do: from another site, and from another origin of the same site.
//
// `SameSite` is the first guard and the server's look at `Origin` and `Sec-Fetch-Site` the second. The journal tells
// them apart: a request that arrived without a cookie was stopped by the first, one that arrived with it must be
// refused by the second.

import { ACCESS, PASSWORD, REFRESH, SESSION, fetchIn } from './browser.mjs'
import { expect, expectAnswer } from './expect.mjs'
import { everyOriginIsWelcome } from './faults.mjs'

export const heading = "Other people's pages"

const SESSION_POLICY = { policy: 'session' }
const REFRESH_COOKIE = { policy: 'refresh', transport: 'cookie' }
const WITH_ACCESS_COOKIE = { ...REFRESH_COOKIE, access_cookie: true }

const TOKENS = '/v1/personal-tokens'
const REFRESHING = '/v1/sessions/current/refresh'
const PASSWORDS = '/v1/account/password'
const SIGN_IN = '/v1/sessions'

// Forms cannot say that they send JSON, but they can write it: all before `=` is the name.
const FORMS = [
  { enctype: 'text/plain', fields: { '{"name":"walrus","scope":"account","x': '":1}' } },
  { enctype: 'application/x-www-form-urlencoded', fields: { name: 'walrus', scope: 'account' } },
]
// Unknown to a server that has not looked at who asks: no token, not from here, no such method, no such body.
const REFUSALS = [401, 403, 405, 415, 422]

export async function run(gateway, check) {
  for (const [what, options, held] of [
    ['the session cookie', SESSION_POLICY, [SESSION]],
    ['the refresh and access cookies', WITH_ACCESS_COOKIE, [ACCESS, REFRESH]],
  ]) {
    await check(
      `another site's forms and fetches come without ${what}, and change nothing`,
      options,
      async (person) => {
        await expectUnchanged(person, held, async () => {
          for (const path of [TOKENS, REFRESHING, PASSWORDS]) {
            for (const form of FORMS) {
              const entry = await formTo(gateway, person, gateway.strangerUrl, path, form)
              expectStopped(entry, 'cross-site', [])
            }
            expectStopped(await fetchTo(gateway, person, gateway.strangerUrl, path), 'cross-site', [])
          }
        })
      },
    )
  }

  await check(
    'forms of the same site come with the session cookie: 403 cross_origin, nothing changed',
    SESSION_POLICY,
    async (person) => {
      await expectUnchanged(person, [SESSION], async () => {
        for (const form of FORMS) {
          const entry = await formTo(gateway, person, gateway.neighbourUrl, TOKENS, form)
          expectStopped(entry, 'same-site', [SESSION], 'cross_origin')
          const other = await formTo(gateway, person, gateway.neighbourUrl, '/v1/sessions/current/extend', form)
          expectStopped(other, 'same-site', [SESSION], 'cross_origin')
        }
      })
    },
  )

  await check(
    'fetches of the same site come with the session cookie, too: 403 cross_origin, nothing changed',
    SESSION_POLICY,
    async (person) => {
      await expectUnchanged(person, [SESSION], async () => {
        for (const body of [undefined, '{"name":"walrus","scope":"account"}']) {
          const entry = await fetchTo(gateway, person, gateway.neighbourUrl, TOKENS, body)
          expectStopped(entry, 'same-site', [SESSION], 'cross_origin')
        }
      })
    },
  )

  await check(
    'fetches of the same site come even with the Strict refresh cookie: 403 cross_origin, nothing changed',
    REFRESH_COOKIE,
    async (person) => {
      await expectUnchanged(person, [REFRESH], async () => {
        const entry = await fetchTo(gateway, person, gateway.neighbourUrl, REFRESHING)
        expectStopped(entry, 'same-site', [REFRESH], 'cross_origin')
      })
    },
  )

  await check('so do forms, which are refused for their body at the latest', REFRESH_COOKIE, async (person) => {
    await expectUnchanged(person, [REFRESH], async () => {
      for (const form of FORMS) {
        expectStopped(await formTo(gateway, person, gateway.neighbourUrl, REFRESHING, form), 'same-site', [REFRESH])
      }
    })
  })

  await check('behind a gateway that lets every origin in, the server does not', SESSION_POLICY, async (person) => {
    await expectUnchanged(person, [SESSION], () =>
      gateway.withQuirk(everyOriginIsWelcome, async () => {
        const change = { current_password: PASSWORD, new_password: 'a walrus of the neighbours' }
        for (const [method, path, body] of [
          ['PUT', PASSWORDS, change],
          ['POST', TOKENS, { name: 'walrus', scope: 'account' }],
          ['PATCH', '/v1/account', { name: 'Walrus' }],
          ['DELETE', '/v1/sessions/current'],
          ['DELETE', '/v1/sessions'],
          ['DELETE', '/v1/account'],
        ]) {
          const entry = await corsTo(gateway, person, gateway.neighbourUrl, method, path, body)
          expectStopped(entry, 'same-site', [SESSION], 'cross_origin')
        }
      }),
    )
  })

  await check('who follows a link from another site is known by the session cookie', SESSION_POLICY, async (person) => {
    const entry = await linkTo(gateway, person, '/v1/account')
    expect('cookies sent', entry.cookies, [SESSION])
    expectAnswer('the account', entry, 200)
  })

  await check(
    'the Strict refresh cookie does not come along with a link, and stays good',
    REFRESH_COOKIE,
    async (person) => {
      await expectUnchanged(person, [REFRESH], async () => {
        const entry = await linkTo(gateway, person, '/v1/account')
        expect('cookies sent', entry.cookies, [])
        expectAnswer('the account', entry, 401, 'token_missing')
      })
      expect('a refresh afterwards', (await person.ask('POST', REFRESHING)).status, 200)
    },
  )

  await check(
    "another origin's sign-in is stopped by the browser: the preflight is not granted",
    undefined,
    async (person) => {
      for (const [url, site] of [
        [gateway.neighbourUrl, 'same-site'],
        [gateway.strangerUrl, 'cross-site'],
      ]) {
        const page = await person.openPage(url)
        const body = JSON.stringify({ email: person.email, password: PASSWORD, ...SESSION_POLICY })
        const headers = { 'content-type': 'application/json' }
        let seenByScript
        const { found, seen } = await gateway.watch('OPTIONS', SIGN_IN, async () => {
          const init = { method: 'POST', credentials: 'include', headers, body }
          seenByScript = await fetchIn(page, gateway.ownUrl + SIGN_IN, init)
        })
        expect('the preflight comes from', [found.site, found.origin], [site, url])
        expect(
          'sign-ins that went through',
          seen.filter(({ method }) => method === 'POST'),
          [],
        )
        expect('what the script sees', Object.keys(seenByScript), ['error'])
        // Without a preflight, as text.
        const entry = await fetchTo(gateway, person, url, SIGN_IN, body)
        expectStopped(entry, site, [])
      }
      expect('cookies', await person.cookies(), {})
    },
  )

  await check(
    'and by the server, where a gateway grants it: 403 cross_origin, no cookie',
    undefined,
    async (person) => {
      await gateway.withQuirk(everyOriginIsWelcome, async () => {
        for (const [url, site] of [
          [gateway.neighbourUrl, 'same-site'],
          [gateway.strangerUrl, 'cross-site'],
        ]) {
          const body = { email: person.email, password: PASSWORD, ...SESSION_POLICY }
          expectStopped(await corsTo(gateway, person, url, 'POST', SIGN_IN, body), site, [], 'cross_origin')
        }
      })
      expect('cookies', await person.cookies(), {})
    },
  )
}

async function formTo(gateway, person, from, path, form) {
  const action = gateway.ownUrl + path
  return (await gateway.watch('POST', path, () => person.submitForm(from, { action, ...form }))).found
}

// A fetch that needs no preflight, and whose answer no script sees.
async function fetchTo(gateway, person, from, path, body) {
  const page = await person.openPage(from)
  const init = { method: 'POST', mode: 'no-cors', credentials: 'include', body }
  return (await gateway.watch('POST', path, () => fetchIn(page, gateway.ownUrl + path, init))).found
}

// A fetch with a preflight.
async function corsTo(gateway, person, from, method, path, json) {
  const page = await person.openPage(from)
  const headers = json && { 'content-type': 'application/json' }
  const init = { method, credentials: 'include', headers, body: json && JSON.stringify(json) }
  return (await gateway.watch(method, path, () => fetchIn(page, gateway.ownUrl + path, init))).found
}

async function linkTo(gateway, person, path) {
  const link = () => person.followLink(gateway.strangerUrl, gateway.ownUrl + path)
  const { found } = await gateway.watch('GET', path, link)
  expect('the request comes from', found.site, 'cross-site')
  return found
}

// It came from there, brought these cookies, set none, and was refused: with this code, or with any.
function expectStopped(entry, site, cookies, code) {
  const what = `${entry.method} ${entry.path}`
  expect(`${what} comes from`, entry.site, site)
  expect(`${what}: cookies sent`, entry.cookies, cookies)
  if (code) expectAnswer(what, entry, 403, code)
  else expect(`${what} is answered ${entry.status} ${entry.code}, a refusal`, REFUSALS.includes(entry.status), true)
  expect(`${what}: cookies set`, entry.sets, [])
}

// Afterwards there are the same sessions, the same personal tokens, the same cookies, the same password.
async function expectUnchanged(person, held, action) {
  expect('cookies before', Object.keys(await person.cookies()).sort(), held)
  const before = await person.standing()
  await action()
  expect('afterwards', await person.standing(), before)
  const json = { email: person.email, password: PASSWORD }
  expect('a sign-in with the password', (await person.gateway.askPlainly('POST', SIGN_IN, { json })).status, 201)
}
