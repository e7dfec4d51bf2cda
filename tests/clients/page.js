// Two people in one browser, with the build of supabase-js for pages: the diary is posted back.

const PATIENCE_MS = 60_000;
const diary = {};

live().then(
  () => post(diary),
  (error) => post({ ...diary, "what went wrong": String(error?.stack ?? error) }),
);

async function live() {
  const given = await (await fetch("/given.json")).json();
  const [ada, ben] = ["ada", "ben"].map((name) => connect(given, name));
  await keep(given, ada, ben);
  await meet(given, ada, ben);
}

async function keep(given, ada, ben) {
  const letter = `${given.people.ada}/letter.txt`;
  const [hers, his] = [ada, ben].map((client) => client.storage.from(given.bucket));
  const text = new Blob(["Dear Ben"], { type: "text/plain" });
  diary["an upload"] = (await done(hers.upload(letter, text))).path;
  const { signedUrl } = await done(hers.createSignedUrl(letter, 60));
  diary["a signed download"] = await (await fetch(signedUrl)).text();
  const { error } = await his.createSignedUrl(letter, 60);
  diary["a signed link by the other"] = error.message;
}

async function meet(given, ada, ben) {
  diary["a refused join"] = await refused(ada);
  const heard = [];
  const hers = room(ada, given.topic);
  const his = room(ben, given.topic).on("broadcast", { event: "said" }, ({ payload }) =>
    heard.push(payload),
  );
  await Promise.all([joined(hers), joined(his)]);
  const said = { type: "broadcast", event: "said", payload: { n: 1 } };
  diary["a broadcast is acknowledged"] = await hers.send(said);
  await until(() => heard.length);
  diary["a broadcast is heard by the other"] = heard;
}

function connect(given, name) {
  return supabase.createClient(given.url, given.publishable_key, {
    accessToken: async () => given.tokens[name],
  });
}

function room(client, topic) {
  return client.channel(topic, { config: { private: true, broadcast: { ack: true } } });
}

function joined(channel) {
  return new Promise((tell, fail) => {
    channel.subscribe((status, error) => (status === "SUBSCRIBED" ? tell() : fail(error ?? status)));
  });
}

async function refused(client) {
  const channel = room(client, "meeting:closed");
  const reason = await joined(channel).catch((error) => error.message);
  await client.removeChannel(channel);
  return reason;
}

async function done(act) {
  const { data, error } = await act;
  if (error) throw error;
  return data;
}

async function until(isSo) {
  const deadline = Date.now() + PATIENCE_MS;
  while (!isSo()) {
    if (Date.now() > deadline) throw new Error(`not so: ${isSo}`);
    await new Promise((wake) => setTimeout(wake, 10));
  }
}

function post(diary) {
  return fetch("/diary", { method: "POST", body: JSON.stringify(diary) });
}
