// What is left in the browser after a sign-out.

import { ACCESS, REFRESH, SESSION } from './browser.mjs'
import { expect, expectAnswer } from './expect.mjs'

export const heading = 'After a sign-out'

const SIGN_OUT = '/v1/sessions/current'
const SESSION_POLICY = { policy: 'session' }
const WITH_ACCESS_COOKIE = { policy: 'refresh', transport: 'cookie', access_cookie: true }

export async function run(gateway, check) {
  await check(
    'the session cookie is gone, storage is empty, and the next request is 401 token_missing',
    SESSION_POLICY,
    async (person) => {
      await person.page.evaluate(() => localStorage.setItem('draft', 'of a letter'))
      await signOut(gateway, person, [SESSION])
      expect('storage', await person.page.evaluate(() => ({ ...localStorage })), {})
    },
  )

  await check('the refresh and access cookies are gone', WITH_ACCESS_COOKIE, async (person) => {
    await signOut(gateway, person, [ACCESS, REFRESH])
  })

  // Two guards: each must do alone what both do together.
  await check('a gateway may drop Clear-Site-Data: Set-Cookie is enough', WITH_ACCESS_COOKIE, async (person) => {
    await gateway.withQuirk(without('clear-site-data'), () => signOut(gateway, person, [ACCESS, REFRESH]))
  })

  await check('a browser may not heed Set-Cookie: Clear-Site-Data is enough', WITH_ACCESS_COOKIE, async (person) => {
    await gateway.withQuirk(without('set-cookie'), () => signOut(gateway, person, [ACCESS, REFRESH]))
  })
}

const without = (header) => ({ onReply: (answer) => delete answer.headers[header] })

async function signOut(gateway, person, held) {
  expect('cookies before', Object.keys(await person.cookies()).sort(), held)
  const replay = Object.values(await person.cookies()).map(({ name, value }) => `${name}=${value}`)
  expect('the sign-out', (await person.ask('DELETE', SIGN_OUT)).status, 200)
  expect('cookies after', Object.keys(await person.cookies()), [])
  const { found } = await gateway.watch('GET', '/v1/account', () => person.ask('GET', '/v1/account'))
  expect('cookies sent', found.cookies, [])
  expectAnswer('the account', found, 401, 'token_missing')
  // Whoever had copied them has nothing either.
  const copied = await gateway.askPlainly('GET', '/v1/account', { headers: { cookie: replay.join('; ') } })
  expect('the account by the copied cookies', copied.status, 401)
}
