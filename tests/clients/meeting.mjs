// The same meeting with supabase-js: `node meeting.mjs '{"url": …}'` prints the diary as JSON.

import { setTimeout as sleep } from "node:timers/promises";
import { createClient } from "@supabase/supabase-js";
import ws from "ws";

const PATIENCE_MS = 60_000;
const given = JSON.parse(process.argv[2]);
const sockets = [];
const diary = {};

// A WebSocket that can be found again, to be cut off.
class Noted extends ws {
  constructor(...given) {
    super(...given);
    sockets.push(this);
  }
}

diary["a refused join"] = await refused();
const ada = await enter("ada");
const ben = await enter("ben");

diary["a broadcast is acknowledged"] = await ada.channel.send({
  type: "broadcast",
  event: "said",
  payload: { n: 1 },
});
await until(() => ben.heard.length);
diary["a broadcast is heard by the other"] = [[...ada.heard], [...ben.heard]];

await ada.channel.track({ mood: "calm" });
await ben.channel.track({ mood: "busy" });
await until(() => present(ada).length === 2 && present(ben).length === 2);
diary["both are present"] = [present(ada), present(ben)];

const server = createClient(given.url, given.secret_key, options());
await server.rpc("act_in_meeting", given.arguments);
await until(() => ada.heard.at(-1) === "SQL" && ben.heard.at(-1) === "SQL");
await until(() => ada.rows.length === 2 && ben.rows.length === 1);
diary["a broadcast from SQL"] = [ada.heard.at(-1), ben.heard.at(-1)];
diary["each sees his own rows"] = [ada.rows, ben.rows];

sockets.at(-1).terminate();
ben.client.realtime.disconnect();
await until(() => present(ada).length === 1);
diary["a dropped connection"] = present(ada);

console.log(JSON.stringify(diary));
process.exit(0);

async function enter(name) {
  const client = connect(name);
  const channel = client.channel(given.topic, {
    config: { private: true, broadcast: { ack: true }, presence: { key: name } },
  });
  const guest = { client, channel, heard: [], rows: [], isLive: false };
  channel
    .on("broadcast", { event: "said" }, ({ payload }) => guest.heard.push(payload))
    .on("broadcast", { event: "act" }, ({ payload }) => guest.heard.push(payload.from))
    .on("presence", { event: "sync" }, () => {})
    .on(
      "postgres_changes",
      { event: "*", schema: "public", table: "meeting_notes" },
      ({ eventType, new: row, errors }) => guest.rows.push([eventType, row.text, errors]),
    )
    .on("system", {}, ({ extension, status }) => {
      guest.isLive ||= extension === "postgres_changes" && status === "ok";
    })
    .subscribe();
  await until(() => guest.isLive);
  return guest;
}

function refused() {
  return new Promise((tell) => {
    const client = connect("ada");
    client.channel("meeting:closed", { config: { private: true } }).subscribe((status, error) => {
      if (status !== "CHANNEL_ERROR") return;
      tell(error.message);
      client.realtime.disconnect();
    });
  });
}

function connect(name) {
  return createClient(given.url, given.publishable_key, {
    ...options(),
    accessToken: async () => given.tokens[name],
  });
}

function options() {
  return { realtime: { transport: Noted } };
}

function present(guest) {
  return Object.keys(guest.channel.presenceState()).sort();
}

async function until(isSo) {
  const deadline = Date.now() + PATIENCE_MS;
  while (!isSo()) {
    if (Date.now() > deadline) throw new Error(`not so: ${isSo}`);
    await sleep(10);
  }
}
