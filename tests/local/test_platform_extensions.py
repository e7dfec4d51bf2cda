"""Extensions: what projects call, proved by published vectors and by Python's own hashes.

On a server with contrib the same vectors hold for the original pgcrypto and uuid-ossp.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from typing import TYPE_CHECKING
from uuid import NAMESPACE_DNS, NAMESPACE_OID, NAMESPACE_URL, NAMESPACE_X500, UUID, uuid3, uuid5

import psycopg
import pytest

from nlctl.local.platform import extensions

if TYPE_CHECKING:
    from tests.databases import Database

ALGORITHMS = ["md5", "sha1", "sha224", "sha256", "sha384", "sha512"]

# Password and hash: vectors of OpenBSD's bcrypt.
BCRYPT = [
    ("", "$2a$06$DCq7YPn5Rq63x1Lad4cll.TV4S6ytwfsfvkgY8jIucDrjc8deX1s."),
    ("", "$2a$08$HqWuK6/Ng6sg9gQzbLrgb.Tl.ZHfXLhvt/SgVyWhQqgqcZ7ZuUtye"),
    ("a", "$2a$06$m0CrhHm10qJ3lXRY.5zDGO3rS2KdeeWLuGmsfGlMfOxih58VYVfxe"),
    ("abc", "$2a$06$If6bvum7DFjUnE9p2uDeDu0YHzrHM6tf.iqN8.yx.jNN1ILEf7h0i"),
    (
        "abcdefghijklmnopqrstuvwxyz",
        "$2a$06$.rCVZVOThsIa97pEDOxvGuRRgzG64bvtJ0938xuqzv18d3ZpQhstC",
    ),
    (
        "~!@#$%^&*()      ~!@#$%^&*()PNBFRD",
        "$2a$06$fPIsBO8qRqkjj273rfaOI.HtSV9jLDpTbZn782DC6/t7qT67P6FfO",
    ),
]

# The same of the original pgcrypto.
MD5_CRYPT = [
    ("hello", "$1$abcdefgh$rwnEbRiN0agqVgZBovWNQ/"),
    ("", "$1$ab$rn6aQS/o7141mj179E/zA."),
    ("Clé à 8 caractères, et même un peu plus", "$1$sel$lRelW91snM0juvNGZ66GM."),
]

UUIDS = [
    ("uuid_nil()", UUID(int=0)),
    ("uuid_ns_dns()", NAMESPACE_DNS),
    ("uuid_ns_url()", NAMESPACE_URL),
    ("uuid_ns_oid()", NAMESPACE_OID),
    ("uuid_ns_x500()", NAMESPACE_X500),
    (
        "uuid_generate_v3(uuid_ns_dns(), 'www.example.com')",
        uuid3(NAMESPACE_DNS, "www.example.com"),
    ),
    (
        "uuid_generate_v5(uuid_ns_dns(), 'www.example.com')",
        uuid5(NAMESPACE_DNS, "www.example.com"),
    ),
    ("uuid_generate_v5(uuid_ns_url(), 'élève')", uuid5(NAMESPACE_URL, "élève")),
]

REFUSED = [
    ("digest('a', 'md4x')", "22023", 'Cannot use "md4x": No such hash algorithm'),
    ("gen_random_bytes(0)", "39000", "Length not in range"),
    ("gen_random_bytes(1025)", "39000", "Length not in range"),
    ("gen_salt('nothing')", "22023", "gen_salt: Unknown salt algorithm"),
    ("gen_salt('bf', 3)", "22023", "gen_salt: Incorrect number of rounds"),
    ("gen_salt('bf', 32)", "22023", "gen_salt: Incorrect number of rounds"),
    ("crypt('a', '$2a$06$short')", "22023", "invalid salt"),
    ("crypt('a', '')", "22023", "invalid salt"),
]

NOT_OFFERED = [
    "gen_salt('des')",
    "gen_salt('xdes')",
    "crypt('a', 'ab')",
    "crypt('a', '_J9..rasm')",
    "crypt('a', '$2b$06$abcdefghijklmnopqrstuu')",
    "crypt('a', '$6$salt')",
]


@pytest.mark.parametrize(
    ("extension", "schema"),
    [
        ("plpgsql", "pg_catalog"),
        ("uuid-ossp", "extensions"),
        ("pgcrypto", "extensions"),
        ("pg_stat_statements", "extensions"),
    ],
)
def test_a_project_starts_with_its_extensions(fresh: Database, extension: str, schema: str) -> None:
    found = fresh.run(
        "select extnamespace::regnamespace::text from pg_extension where extname = %s",
        (extension,),
    )

    assert found == [(schema,)]


@pytest.mark.parametrize("extension", ["pgcrypto", "uuid-ossp", "pg_stat_statements"])
def test_a_migration_may_ask_for_what_is_there(fresh: Database, extension: str) -> None:
    fresh.run(f'create extension if not exists "{extension}"')
    fresh.run(f'create extension if not exists "{extension}" with schema public')


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_a_digest_is_what_the_algorithm_says_at_every_length(
    fresh: Database, algorithm: str
) -> None:
    lengths = range(260)
    found = fresh.run(
        "select digest(repeat('é', n), %s), digest(decode(repeat('00', n), 'hex'), upper(%s)) "
        "from unnest(%s::int[]) as n",
        (algorithm, algorithm, list(lengths)),
    )

    assert found == [
        (
            hashlib.new(algorithm, "é".encode() * n).digest(),
            hashlib.new(algorithm, b"\x00" * n).digest(),
        )
        for n in lengths
    ]


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_a_hash_under_a_key_is_what_the_algorithm_says(fresh: Database, algorithm: str) -> None:
    lengths = [0, 1, 63, 64, 65, 127, 128, 129, 200]
    found = fresh.run(
        "select hmac('données', repeat('k', n), %s), hmac('\\x00ff'::bytea, "
        "decode(repeat('aa', n), 'hex'), %s) from unnest(%s::int[]) as n",
        (algorithm, algorithm, lengths),
    )

    assert found == [
        (
            hmac.digest(b"k" * n, "données".encode(), algorithm),
            hmac.digest(b"\xaa" * n, b"\x00\xff", algorithm),
        )
        for n in lengths
    ]


@pytest.mark.parametrize(("password", "hashed"), BCRYPT + MD5_CRYPT)
def test_a_password_is_hashed_as_everywhere(fresh: Database, password: str, hashed: str) -> None:
    assert fresh.run("select crypt(%s, %s)", (password, hashed)) == [(hashed,)]


def test_a_password_counts_up_to_72_bytes(fresh: Database) -> None:
    [(beyond, within)] = fresh.run(
        """
        select crypt(repeat('x', 72) || 'y', salt) = crypt(repeat('x', 72) || 'z', salt),
          crypt(repeat('x', 71) || 'y', salt) = crypt(repeat('x', 71) || 'z', salt)
        from gen_salt('bf', 4) as salt
        """
    )

    assert (beyond, within) == (True, False)


@pytest.mark.parametrize(
    ("call", "shape"),
    [
        ("gen_salt('bf')", r"\$2a\$06\$[./A-Za-z0-9]{22}"),
        ("gen_salt('bf', 10)", r"\$2a\$10\$[./A-Za-z0-9]{22}"),
        ("gen_salt('md5')", r"\$1\$[./A-Za-z0-9]{8}"),
    ],
)
def test_a_salt_is_new_each_time(fresh: Database, call: str, shape: str) -> None:
    salts = {salt for (salt,) in fresh.run(f"select {call} from generate_series(1, 50)")}

    assert len(salts) == 50
    assert all(re.fullmatch(shape, salt) for salt in salts)


@pytest.mark.parametrize("count", [1, 14, 15, 32, 1024])
def test_random_bytes_come_in_the_number_asked_for(fresh: Database, count: int) -> None:
    [(first, second)] = fresh.run(
        "select gen_random_bytes(%s), gen_random_bytes(%s)", (count, count)
    )

    assert (len(first), len(second)) == (count, count)
    assert count < 14 or first != second


def test_every_random_bit_is_sometimes_set_and_sometimes_not(fresh: Database) -> None:
    # 200 draws miss a bit once in 2 ** 190.
    samples = [
        int.from_bytes(sample, "big")
        for (sample,) in fresh.run("select gen_random_bytes(28) from generate_series(1, 200)")
    ]
    ever = always = samples[0]
    for sample in samples:
        ever |= sample
        always &= sample

    assert (ever, always) == (2 ** (28 * 8) - 1, 0)


@pytest.mark.parametrize(("call", "expected"), UUIDS)
def test_a_name_has_its_uuid(fresh: Database, call: str, expected: UUID) -> None:
    assert fresh.run(f"select {call}") == [(expected,)]


@pytest.mark.parametrize(
    ("function", "version"),
    [("uuid_generate_v1", 1), ("uuid_generate_v1mc", 1), ("uuid_generate_v4", 4)],
)
def test_a_generated_uuid_is_new_and_says_its_version(
    fresh: Database, function: str, version: int
) -> None:
    made = [uuid for (uuid,) in fresh.run(f"select {function}() from generate_series(1, 50)")]

    assert len(set(made)) == 50
    assert {(uuid.version, uuid.variant) for uuid in made} == {(version, "specified in RFC 4122")}


def test_a_uuid_of_the_moment_tells_the_time(fresh: Database) -> None:
    [(made, now)] = fresh.run(
        "select uuid_generate_v1mc(), extract(epoch from clock_timestamp())::float8"
    )
    seconds = (made.time - 0x01B21DD213814000) / 10_000_000

    assert abs(seconds - now) < 60
    assert made.node >> 40 & 1 == 1


@pytest.mark.parametrize(("call", "state", "message"), REFUSED)
def test_what_cannot_be_done_is_said(fresh: Database, call: str, state: str, message: str) -> None:
    with pytest.raises(psycopg.Error) as refusal:
        fresh.run(f"select {call}")

    assert (refusal.value.sqlstate, refusal.value.diag.message_primary) == (state, message)


@pytest.mark.parametrize("call", NOT_OFFERED)
def test_what_is_not_offered_is_said(rewritten: Database, call: str) -> None:
    with pytest.raises(psycopg.errors.FeatureNotSupported, match="knows only bf and md5"):
        rewritten.run(f"select {call}")


def test_a_function_with_no_search_path_can_hash(fresh: Database) -> None:
    with fresh.connect() as connection:
        connection.execute("set search_path = ''")
        found = connection.execute(
            "select extensions.crypt('abc', extensions.gen_salt('bf', 4)) like '$2a$04$%', "
            "extensions.digest('abc', 'sha1'), extensions.uuid_generate_v5("
            "extensions.uuid_ns_dns(), 'a')"
        ).fetchone()

    assert found == (True, hashlib.sha1(b"abc").digest(), uuid5(NAMESPACE_DNS, "a"))


def test_pgcrypto_can_move_to_another_schema(empty_database: Database) -> None:
    with empty_database.connect("supabase_admin") as connection:
        connection.execute("alter extension pgcrypto set schema public")
        connection.execute("set search_path = ''")
        found = connection.execute("select public.hmac('a', 'k', 'sha256')").fetchone()

    assert found == (hmac.digest(b"k", b"a", "sha256"),)


def test_blowfish_starts_from_the_digits_of_pi() -> None:
    script = (extensions.FOLDER / "bcrypt.sql").read_text(encoding="utf-8")
    digits = "".join(re.findall(r"^[0-9a-f]{80,}$", script, re.MULTILINE))

    assert digits == fraction_of_pi(len(digits))
    assert len(digits) == 8 * (18 + 4 * 256)


# The token that jwt.io shows.
TOKEN = (
    "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9"
    ".eyJzdWIiOiIxMjM0NTY3ODkwIiwibmFtZSI6IkpvaG4gRG9lIiwiYWRtaW4iOnRydWV9"
    ".TJVA95OrM7E2cBab30RMHrHDcEfxjoYZgeFONFh7HgQ"
)


@pytest.fixture
def with_pgjwt(rewritten: Database, empty_database: Database) -> Database:
    """A project whose migration has created pgjwt."""
    empty_database.run("create extension pgjwt with schema extensions")
    return empty_database


def test_a_token_is_signed_as_everywhere(with_pgjwt: Database) -> None:
    signed = with_pgjwt.run(
        """select sign('{"sub":"1234567890","name":"John Doe","admin":true}', 'secret')"""
    )

    assert signed == [(TOKEN,)]


@pytest.mark.parametrize(
    ("payload", "secret", "algorithm", "valid"),
    [
        ("{}", "secret", "HS256", True),
        ("{}", "secret", "HS384", True),
        ("{}", "secret", "HS512", True),
        ("{}", "guess", "HS256", False),
        ('{"exp": 1}', "secret", "HS256", False),
        ('{"nbf": 99999999999}', "secret", "HS256", False),
        ('{"exp": 99999999999, "nbf": 1, "name": "Élodie"}', "secret", "HS256", True),
    ],
)
def test_a_token_is_valid_when_it_is_genuine_and_in_its_time(
    with_pgjwt: Database, payload: str, secret: str, algorithm: str, valid: bool
) -> None:
    [(found, same)] = with_pgjwt.run(
        "select valid, payload::text = %(payload)s::text "
        "from verify(sign(%(payload)s::json, 'secret', %(algorithm)s), %(secret)s, %(algorithm)s)",
        {"payload": payload, "secret": secret, "algorithm": algorithm},
    )

    assert (found, same) == (valid, True)


def fraction_of_pi(digits: int) -> str:
    """What follows the point in pi, in base 16 (Machin's formula)."""
    one = 1 << (4 * digits + 64)
    pi = 4 * (4 * arctangent_of_inverse(5, one) - arctangent_of_inverse(239, one))
    return f"{(pi % one) >> 64:0{digits}x}"


def arctangent_of_inverse(x: int, one: int) -> int:
    term = total = one // x
    n = 1
    while term:
        term //= -x * x
        n += 2
        total += term // n
    return total
