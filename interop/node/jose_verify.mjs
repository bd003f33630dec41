// Verify one access token, read from stdin, the way a JavaScript API behind Counterfoil would: with jose.
//
// Exit 0: accepted, the claims are on stdout as JSON.
// Exit 1: refused, jose's own error is on stderr.
// Exit 2: the question could not be put (wrong options, no server).

import { readFile } from 'node:fs/promises'
import { text } from 'node:stream/consumers'
import { webcrypto } from 'node:crypto'
import { parseArgs } from 'node:util'

// Node.js 18 has Web Crypto but not yet as globals, where jose looks for it.
globalThis.crypto ??= webcrypto
globalThis.CryptoKey ??= webcrypto.CryptoKey
const jose = await import('jose')

const ALGORITHMS = ['EdDSA', 'ES256', 'RS256', 'HS512']
const TIMEOUT_MS = 10_000

function parseOptions() {
  const { values } = parseArgs({
    options: {
      'issuer-url': { type: 'string' },
      alg: { type: 'string', default: 'EdDSA' },
      issuer: { type: 'string' }, // default: the issuer named in the metadata
      audience: { type: 'string' }, // default: the issuer
      'secret-file': { type: 'string' }, // HS512 only: the secret as base64url text
    },
  })
  if (!values['issuer-url']) throw new TypeError('--issuer-url is needed')
  if (!ALGORITHMS.includes(values.alg)) throw new TypeError(`--alg is one of ${ALGORITHMS.join(', ')}`)
  if ((values.alg === 'HS512') !== Boolean(values['secret-file'])) {
    throw new TypeError('--secret-file belongs to HS512, and HS512 needs it')
  }
  return values
}

// Authorization server metadata, RFC 8414.
async function fetchMetadata(issuerUrl) {
  const url = new URL('/.well-known/oauth-authorization-server', issuerUrl)
  const reply = await fetch(url, { signal: AbortSignal.timeout(TIMEOUT_MS) })
  if (!reply.ok) throw new Error(`${url} answered ${reply.status}`)
  return reply.json()
}

// A shared secret for HMAC; otherwise the published key that the token's `kid` picks.
async function verificationKey(options, metadata) {
  if (options.alg === 'HS512') return jose.base64url.decode((await readFile(options['secret-file'], 'ascii')).trim())
  return jose.createRemoteJWKSet(new URL(metadata.jwks_uri), { timeoutDuration: TIMEOUT_MS })
}

async function verify(options, metadata, key, token) {
  const issuer = options.issuer ?? metadata.issuer
  const { payload } = await jose.jwtVerify(token, key, {
    algorithms: [options.alg],
    issuer,
    audience: options.audience ?? issuer,
    typ: 'at+jwt',
    requiredClaims: ['sub', 'exp', 'iat', 'jti'],
  })
  return payload
}

async function main() {
  let question
  try {
    const options = parseOptions()
    const metadata = await fetchMetadata(options['issuer-url'])
    question = [options, metadata, await verificationKey(options, metadata), (await text(process.stdin)).trim()]
  } catch (error) {
    console.error(`cannot ask: ${error.message}`)
    return 2
  }
  try {
    console.log(JSON.stringify(await verify(...question)))
    return 0
  } catch (error) {
    if (!(error instanceof jose.errors.JOSEError) || error.code === 'ERR_JWKS_TIMEOUT') {
      console.error(`cannot ask: ${error.message}`)
      return 2
    }
    console.error(`refused: ${error.code}: ${error.message}`)
    return 1
  }
}

process.exitCode = await main()
