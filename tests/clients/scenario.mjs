// The same life with supabase-js: `node scenario.mjs '{"url": …}'` prints the diary as JSON.

import { createHmac, createPrivateKey, generateKeyPairSync, randomUUID, sign } from "node:crypto";
import { createClient } from "@supabase/supabase-js";
import ws from "ws";

const given = JSON.parse(process.argv[2]);
const options = {
  auth: { autoRefreshToken: false, persistSession: false },
  realtime: { transport: ws }, // Node has a WebSocket of its own from version 22
};
const diary = {};
const email = newAddress("ada");
const account = { email, password: given.password };
const ada = createClient(given.url, given.publishable_key, options);
const server = createClient(given.url, given.secret_key, options);

await signUp();
await signIn();
await readAndWrite();
await outliveAToken();
await addAFactor();
await invite();
await signOut();
console.log(JSON.stringify(diary));

async function signUp() {
  await write("a weak password", ada.auth.signUp({ email, password: "abc" }));
  await write(
    "sign-up",
    ada.auth.signUp({ ...account, options: { data: { first_name: "Ada" } } }),
    ({ data }) => [data.session, data.user.user_metadata.first_name],
  );
  await write(
    "sign-in before the address is confirmed",
    ada.auth.signInWithPassword(account),
  );
  diary["the mailed link"] = await followLink(email);
  await write(
    "sign-up of a known address",
    ada.auth.signUp(account),
    ({ data }) => [data.session, data.user.identities],
  );
}

async function signIn() {
  const wrong = { ...account, password: "Wrong-horse-9" };
  await write("a wrong password", ada.auth.signInWithPassword(wrong));
  await write(
    "sign-in",
    ada.auth.signInWithPassword(account),
    ({ data }) => [data.user.email === email, data.session.token_type],
  );
  await write(
    "the claims of the token",
    ada.auth.getClaims(),
    ({ data }) => [data.header.alg, data.claims.role],
  );
}

async function readAndWrite() {
  await read();
  const profiles = () => ada.from("profiles");
  const mine = (await ada.auth.getUser()).data.user.id;
  await write(
    "a row of one's own",
    profiles().update({ last_name: "Lovelace" }).eq("id", mine).select(),
    ({ data }) => data.map((row) => row.last_name),
  );
  await write(
    "somebody else's row",
    profiles().update({ last_name: "Nobody" }).neq("id", mine).select(),
    ({ data }) => data,
  );
  await write(
    "a column that is not theirs",
    profiles().update({ user_type_id: "owner" }).eq("id", mine),
  );
  const tokens = (await ada.rpc("get_active_theme_tokens")).data;
  await write(
    "a row against the policies",
    ada.from("themes").insert({ name: "Rose", tokens }),
  );
  await write("an update of everything", profiles().update({ last_name: "X" }));
  await write(
    "a function",
    ada.rpc("get_my_permissions"),
    ({ data }) => typeof data === "object",
  );
  await write("a function that refuses", ada.rpc("list_users"));
}

async function read() {
  await write(
    "rows of one's own",
    ada.from("profiles").select("first_name"),
    ({ data }) => data,
  );
  await write(
    "a row with its parent and the parent's children",
    ada.from("profiles")
      .select("first_name, user_types(label, role_permissions(user_type_id))")
      .limit(1, { referencedTable: "user_types.role_permissions" })
      .single(),
    ({ data }) => data,
  );
  await write(
    "a count",
    ada.from("user_types").select("*", { count: "exact", head: true }),
    ({ count }) => count,
  );
  await write(
    "one row where there is none",
    ada.from("profiles").select("id").eq("first_name", "-").single(),
  );
  await write("a table that is not there", ada.from("profilez").select("*"));
  await write("a column that is not there", ada.from("profiles").select("nope"));
  await write(
    "a relationship that is not there",
    ada.from("profiles").select("themes(*)"),
  );
}

async function outliveAToken() {
  const { session } = (await ada.auth.getSession()).data;
  const expired = signExpired(session.access_token);
  if (given.signing_key) await useExpired(expired);
  await write(
    "refresh after expiry",
    ada.auth.setSession({
      access_token: expired,
      refresh_token: session.refresh_token,
    }),
    ({ data }) => [
      data.session.refresh_token !== session.refresh_token,
      sessionId(data.session) === sessionId(session),
    ],
  );
  const other = createClient(given.url, given.publishable_key, options);
  await write(
    "a refresh token that never was",
    other.auth.refreshSession({ refresh_token: "abcdefghijkl" }),
  );
}

async function useExpired(token) {
  const late = createClient(given.url, given.publishable_key, {
    ...options,
    accessToken: async () => token,
  });
  await write("a row with an expired token", late.from("profiles").select("id"));
  await write("oneself with an expired token", ada.auth.getUser(token));
}

async function addAFactor() {
  const { mfa } = ada.auth;
  const enrolled = await write(
    "enrolment",
    mfa.enroll({ factorType: "totp", friendlyName: "phone" }),
    ({ data }) => [data.type, data.totp.uri.startsWith("otpauth://totp/")],
  );
  const factorId = enrolled.data.id;
  const code = totp(enrolled.data.totp.secret);
  const wrong = String((Number(code) + 500_000) % 1_000_000).padStart(6, "0");
  await write("a wrong code", mfa.challengeAndVerify({ factorId, code: wrong }));
  await write(
    "the right code",
    mfa.challengeAndVerify({ factorId, code }),
    ({ data }) => data.token_type,
  );
  await write(
    "assurance",
    mfa.getAuthenticatorAssuranceLevel(),
    ({ data }) => [data.currentLevel, data.nextLevel],
  );
}

async function invite() {
  const guest = newAddress("ben");
  const { session } = (await ada.auth.getSession()).data;
  const intruder = createClient(given.url, given.publishable_key, {
    ...options,
    global: { headers: { Authorization: `Bearer ${session.access_token}` } },
  });
  await write(
    "an invitation by somebody",
    intruder.auth.admin.inviteUserByEmail(guest),
  );
  await write(
    "an invitation by a server",
    server.auth.admin.inviteUserByEmail(guest),
    ({ data }) => data.user.email === guest,
  );
  diary["the link of the invitation"] = await followLink(guest);
  await write(
    "an invitation of a member",
    server.auth.admin.inviteUserByEmail(email),
  );
}

async function signOut() {
  const { session } = (await ada.auth.getSession()).data;
  await write("sign-out", ada.auth.signOut(), ({ error }) => error);
  await write("oneself after sign-out", ada.auth.getUser(session.access_token));
  await write(
    "refresh after sign-out",
    ada.auth.refreshSession({ refresh_token: session.refresh_token }),
  );
  await write("rows after sign-out", ada.from("profiles").select("id"));
}

/** Note what came of an act: what `tell` sees, or the refusal. */
async function write(step, act, tell = () => "no refusal") {
  const answer = await act;
  const { error } = answer;
  diary[step] = error
    ? [error.status ?? answer.status, error.code, error.message]
    : tell(answer);
  return answer;
}

async function followLink(address) {
  const search = `${given.mail_url}/api/v1/search?query=to:${address}`;
  const { messages } = await (await fetch(search)).json();
  const letter = await fetch(`${given.mail_url}/api/v1/message/${messages[0].ID}`);
  const [link] = (await letter.json()).Text.match(/http\S+\/verify\S+/);
  const answer = await fetch(link, { redirect: "manual" });
  const { hash } = new URL(answer.headers.get("location"));
  const token = new URLSearchParams(hash.slice(1)).get("access_token");
  return [answer.status, claimsOf(token).email === address];
}

function newAddress(name) {
  return `${name}-${randomUUID().slice(0, 8)}@example.test`;
}

function claimsOf(token) {
  return JSON.parse(Buffer.from(token.split(".")[1], "base64url"));
}

function sessionId(session) {
  return claimsOf(session.access_token).session_id;
}

/** The same token, an hour too old, under the project's own key where that is known. */
function signExpired(token) {
  const claims = claimsOf(token);
  const late = { ...claims, exp: claims.iat - 60, iat: claims.iat - 3660 };
  const header = token.split(".")[0];
  const signing = `${header}.${Buffer.from(JSON.stringify(late)).toString("base64url")}`;
  const key = given.signing_key
    ? createPrivateKey({ key: given.signing_key, format: "jwk" })
    : generateKeyPairSync("ec", { namedCurve: "P-256" }).privateKey;
  const seal = sign("sha256", Buffer.from(signing), { key, dsaEncoding: "ieee-p1363" });
  return `${signing}.${seal.toString("base64url")}`;
}

/** RFC 6238 with the defaults that authenticators have. */
function totp(secret) {
  const letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
  const bits = [...secret.replace(/=+$/, "")]
    .map((letter) => letters.indexOf(letter).toString(2).padStart(5, "0"))
    .join("");
  const key = Buffer.from(bits.match(/.{8}/g).map((byte) => parseInt(byte, 2)));
  const counter = Buffer.alloc(8);
  counter.writeBigUInt64BE(BigInt(Math.floor(Date.now() / 30_000)));
  const digest = createHmac("sha1", key).update(counter).digest();
  const offset = digest.at(-1) & 15;
  const number = (digest.readUInt32BE(offset) & 0x7fffffff) % 1_000_000;
  return String(number).padStart(6, "0");
}
