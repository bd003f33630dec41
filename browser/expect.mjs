// Saying in one line what was found and what was expected.

import { isDeepStrictEqual } from 'node:util'

export function expect(what, found, expected) {
  if (isDeepStrictEqual(found, expected)) return
  throw new Error(`${what}: ${brief(found)} instead of ${brief(expected)}`)
}

export function expectNot(what, found, other) {
  if (isDeepStrictEqual(found, other)) throw new Error(`${what} is what it was`)
}

// Status and code of an answer, as the gateway saw it or as a script did.
export function expectAnswer(what, answer, status, code) {
  expect(what, [answer.status, answer.code ?? answer.json?.code], [status, code])
}

export function expectWithout(what, text, secret) {
  if (text.includes(secret)) throw new Error(`${what} holds the secret`)
}

const LENGTH_MAX = 160

function brief(value) {
  const text = JSON.stringify(value) ?? 'nothing'
  return text.length > LENGTH_MAX ? `${text.slice(0, LENGTH_MAX)}…` : text
}
