// Has a real browser keep Counterfoil's cookies; `cargo xtask test --only browser` starts this.
//
// Says what happens in lines of JSON: first the public URL that the server is to have, then, once a line on stdin has
// told where the server is, each check, and at the end how many there were. README.md tells what is checked.

import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { parseArgs } from 'node:util'

import { Person, launch } from './browser.mjs'
import { Gateway } from './gateway.mjs'
import { FAULTS } from './faults.mjs'
import * as kept from './kept.mjs'
import * as foreign from './foreign.mjs'
import * as ended from './ended.mjs'

const CHECK_LIMIT_MS = 60_000
const FAULT_VARIABLE = 'COUNTERFOIL_BROWSER_FAULT'

const say = (line) => console.log(JSON.stringify(line))

async function main() {
  const { values } = parseArgs({ options: { chromium: { type: 'string' } } })
  const gateway = await Gateway.open()
  const faults = faultsAskedFor()
  gateway.quirks = [...faults]
  say({ public_url: gateway.ownUrl })
  const [line] = await once(createInterface(process.stdin), 'line')
  gateway.upstream = line.trim()

  const browser = await launch(values.chromium, gateway.certificate)
  let made = 0
  // Each check has a person, a browser profile and a session of its own, so that none leans on another.
  const check = async (name, options, action) => {
    let failed
    try {
      await withLimit(async () => {
        const person = await Person.signUp(browser, gateway)
        try {
          await action(person, options && (await person.signIn(options)))
        } finally {
          await person.leave()
        }
      })
    } catch (error) {
      failed = error.message.split('\n')[0]
    }
    gateway.quirks = [...faults] // also where a check was cut off
    made += 1
    say({ check: name, failed })
  }
  for (const group of [kept, foreign, ended]) {
    say({ heading: group.heading })
    await group.run(gateway, check)
  }
  await browser.close()
  gateway.close()
  say({ done: made })
}

function faultsAskedFor() {
  const name = process.env[FAULT_VARIABLE]
  if (!name) return []
  if (!Object.hasOwn(FAULTS, name)) throw new Error(`${FAULT_VARIABLE}: one of ${Object.keys(FAULTS).join(', ')}`)
  return [FAULTS[name]]
}

async function withLimit(action) {
  let timer
  const limit = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error('took too long')), CHECK_LIMIT_MS)
  })
  try {
    return await Promise.race([action(), limit])
  } finally {
    clearTimeout(timer)
  }
}

await main()
