// The same letter with supabase-js: `node files.mjs '{"url": …}'` prints the diary as JSON.

import { createClient } from "@supabase/supabase-js";
import ws from "ws";

const given = JSON.parse(process.argv[2]);
const folder = given.people.ada;
const letter = `${folder}/letter.txt`;
const moved = `${folder}/sent/letter.txt`;
const ada = connect("ada");
const ben = connect("ben");
const diary = {};

await share();
await intrude();
await tidy();
console.log(JSON.stringify(diary));

async function share() {
  const sent = await done(ada.upload(letter, "Dear Ben", { contentType: "text/plain" }));
  diary["an upload"] = sent.path;
  const { signedUrl } = await done(ada.createSignedUrl(letter, 60));
  const answer = await fetch(signedUrl);
  diary["a signed download"] = [
    answer.status,
    answer.headers.get("content-type"),
    await answer.text(),
  ];
}

async function intrude() {
  diary["a download by the other"] = await refused(ben.download(letter));
  diary["a signed link by the other"] = await refused(ben.createSignedUrl(letter, 60));
  diary["an upload by the other"] = await refused(ben.upload(`${folder}/reply.txt`, "Dear Ada"));
  diary["a list by the other"] = await done(ben.list(folder));
  diary["a move by the other"] = await refused(ben.move(letter, `${folder}/lost.txt`));
  diary["a remove by the other"] = await done(ben.remove([letter]));
}

async function tidy() {
  diary["a list"] = (await done(ada.list(folder))).map(describe);
  diary["a move"] = (await done(ada.move(letter, moved))).message;
  diary["the old name"] = await refused(ada.download(letter));
  diary["the new name"] = await (await done(ada.download(moved))).text();
  diary["a remove"] = (await done(ada.remove([moved]))).map(({ name }) => name);
  diary["what is left"] = await done(ada.list(folder));
}

function connect(name) {
  const options = { accessToken: async () => given.tokens[name], realtime: { transport: ws } };
  return createClient(given.url, given.publishable_key, options).storage.from(given.bucket);
}

function describe({ name, metadata }) {
  return [name, metadata.size, metadata.mimetype];
}

async function done(act) {
  const { data, error } = await act;
  if (error) throw error;
  return data;
}

async function refused(act) {
  const { data, error } = await act;
  if (!error) throw new Error(`not refused: ${JSON.stringify(data)}`);
  return [error.statusCode, error.message];
}
