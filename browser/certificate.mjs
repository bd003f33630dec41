// A certificate for this machine's own names, written by hand in DER: Node.js signs, but makes no certificates, and a
// tool that does would be one more to install. RFC 5280 says what goes where.

import { createHash, generateKeyPairSync, randomBytes, sign } from 'node:crypto'

const ECDSA_WITH_SHA256 = '1.2.840.10045.4.3.2'
const COMMON_NAME = '2.5.4.3'
const SUBJECT_ALT_NAME = '2.5.29.17'

// A value with its tag and its length before it. The lengths here fit into two bytes.
function der(tag, ...contents) {
  const content = Buffer.concat(contents.map((part) => Buffer.from(part)))
  const { length } = content
  const size = length < 128 ? [length] : length < 256 ? [0x81, length] : [0x82, length >> 8, length & 255]
  return Buffer.concat([Buffer.from([tag, ...size]), content])
}
const sequence = (...parts) => der(0x30, ...parts)
const integer = (bytes) => der(0x02, bytes)
const bits = (bytes) => der(0x03, [0], bytes)
const time = (date) => der(0x17, date.toISOString().replace(/^..(..)-(..)-(..)T(..):(..):(..).*/, '$1$2$3$4$5$6Z'))

// The first two numbers share a byte; larger ones take seven bits a byte.
function oid(dotted) {
  const [first, second, ...rest] = dotted.split('.').map(Number)
  const bytes = rest.flatMap((number) => {
    const septets = [number & 127]
    while ((number >>= 7) > 0) septets.unshift((number & 127) | 128)
    return septets
  })
  return der(0x06, [first * 40 + second, ...bytes])
}

// A new key with a certificate that it signed itself, good for a day. `pin` is what Chromium calls the key by.
export function selfMade(dns, ipv4) {
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const spki = publicKey.export({ type: 'spki', format: 'der' })
  const name = sequence(der(0x31, sequence(oid(COMMON_NAME), der(0x0c, 'Counterfoil test'))))
  const algorithm = sequence(oid(ECDSA_WITH_SHA256))
  const hour = 3_600_000
  const names = sequence(der(0x82, Buffer.from(dns)), der(0x87, ipv4.split('.').map(Number)))
  const unsigned = sequence(
    der(0xa0, integer([2])), // version 3
    integer([1, ...randomBytes(15)]),
    algorithm,
    name,
    sequence(time(new Date(Date.now() - hour)), time(new Date(Date.now() + 24 * hour))),
    name,
    spki,
    der(0xa3, sequence(sequence(oid(SUBJECT_ALT_NAME), der(0x04, names)))),
  )
  const certificate = sequence(unsigned, algorithm, bits(sign('sha256', unsigned, privateKey)))
  const base64 = certificate.toString('base64').replace(/.{64}/g, '$&\n')
  return {
    key: privateKey.export({ type: 'pkcs8', format: 'pem' }),
    cert: `-----BEGIN CERTIFICATE-----\n${base64}\n-----END CERTIFICATE-----\n`,
    pin: createHash('sha256').update(spki).digest('base64'),
  }
}
