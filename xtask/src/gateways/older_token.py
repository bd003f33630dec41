"""Signs a token anew as if it had been issued a minute and a half ago, with the secret that the server signs with.

A sliding session is extended once its token is a minute old, and nobody should wait for that. Reads the token from stdin,
takes the file with the secret as its argument, and prints a line of JSON: what the token says, and the older one.
"""

import base64
import hashlib
import hmac
import json
import pathlib
import sys


def decoded(text):
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def encoded(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


secret = decoded(pathlib.Path(sys.argv[1]).read_text().strip())
header, payload, _ = sys.stdin.read().strip().split(".")
claims = json.loads(decoded(payload))
older = dict(claims, iat=claims["iat"] - 90)
signed = header + "." + encoded(json.dumps(older, separators=(",", ":")).encode())
signature = hmac.new(secret, signed.encode(), hashlib.sha512).digest()
print(json.dumps({"claims": claims, "older": signed + "." + encoded(signature)}))
