"""Verify one access token, read from stdin, the way a Python API behind Counterfoil would: with PyJWT.

Exit 0: accepted, the claims are on stdout as JSON.
Exit 1: refused, PyJWT's own error is on stderr.
Exit 2: the question could not be put (wrong options, no server).
"""

import argparse
import base64
import json
import sys
import urllib.request

import jwt

ACCESS_TOKEN_TYPES = ("at+jwt", "application/at+jwt")  # RFC 9068, section 4
TIMEOUT_SECONDS = 10


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--issuer-url", required=True, help="where the server listens")
    parser.add_argument("--alg", choices=["EdDSA", "ES256", "RS256", "HS512"], default="EdDSA")
    parser.add_argument("--issuer", help="default: the issuer named in the metadata")
    parser.add_argument("--audience", help="default: the issuer")
    parser.add_argument("--secret-file", help="HS512 only: a file with the secret as base64url text")
    options = parser.parse_args()
    if (options.alg == "HS512") != bool(options.secret_file):
        parser.error("--secret-file belongs to HS512, and HS512 needs it")
    return options


def fetch_metadata(issuer_url):
    """Authorization server metadata, RFC 8414."""
    url = issuer_url.rstrip("/") + "/.well-known/oauth-authorization-server"
    with urllib.request.urlopen(url, timeout=TIMEOUT_SECONDS) as reply:
        return json.load(reply)


def read_secret(path):
    with open(path, encoding="ascii") as file:
        text = file.read().strip()
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def verification_key(options, metadata, token):
    """A shared secret for HMAC; otherwise the published key that the token's `kid` picks."""
    if options.alg == "HS512":
        return read_secret(options.secret_file)
    return jwt.PyJWKClient(metadata["jwks_uri"], timeout=TIMEOUT_SECONDS).get_signing_key_from_jwt(token).key


def verify(options, metadata, token):
    issuer = options.issuer or metadata["issuer"]
    verified = jwt.decode_complete(
        token,
        verification_key(options, metadata, token),
        algorithms=[options.alg],
        issuer=issuer,
        audience=options.audience or issuer,
        options={"require": ["iss", "sub", "aud", "exp", "iat", "jti"]},
    )
    # PyJWT leaves `typ` to the caller; without this check an ID token would pass for an access token.
    if verified["header"].get("typ", "").lower() not in ACCESS_TOKEN_TYPES:
        raise jwt.InvalidTokenError(f"typ is {verified['header'].get('typ')!r}, not at+jwt")
    return verified["payload"]


def main():
    options = parse_arguments()
    token = sys.stdin.read().strip()
    try:
        claims = verify(options, fetch_metadata(options.issuer_url), token)
    except (OSError, jwt.PyJWKClientConnectionError) as error:
        print(f"cannot ask: {type(error).__name__}: {error}", file=sys.stderr)
        return 2
    except jwt.PyJWTError as error:
        print(f"refused: {type(error).__name__}: {error}", file=sys.stderr)
        return 1
    print(json.dumps(claims))
    return 0


if __name__ == "__main__":
    sys.exit(main())
