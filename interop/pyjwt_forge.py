"""Read a genuine token from stdin; print its twin: the same header and claims, signed by PyJWT with a key of our own.

Everything about the twin is right except who signed it, so a server that accepts it does not check signatures with its
own keys. (The header keeps the `kid`: it picks a key, and proves nothing by itself.)
"""

import secrets
import sys

import jwt
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa


def new_key(algorithm):
    if algorithm == "EdDSA":
        return ed25519.Ed25519PrivateKey.generate()
    if algorithm == "ES256":
        return ec.generate_private_key(ec.SECP256R1())
    if algorithm == "RS256":
        return rsa.generate_private_key(public_exponent=65537, key_size=2048)
    if algorithm == "HS512":
        return secrets.token_bytes(64)
    raise SystemExit(f"no recipe for a key of {algorithm}")


def main():
    genuine = jwt.decode_complete(sys.stdin.read().strip(), options={"verify_signature": False})
    header = genuine["header"]
    algorithm = header["alg"]
    print(jwt.encode(genuine["payload"], new_key(algorithm), algorithm=algorithm, headers=header))


if __name__ == "__main__":
    main()
