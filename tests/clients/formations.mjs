// The same story with supabase-js: `node formations.mjs '{"url": …}'` prints the diary as JSON.

import { isDeepStrictEqual } from "node:util";
import { setTimeout as sleep } from "node:timers/promises";
import { createClient } from "@supabase/supabase-js";
import ws from "ws";

const PATIENCE_MS = 30_000;
const given = JSON.parse(process.argv[2]);
const diary = {};
const ada = open("ada");
const admin = open("admin");

const courseId = await build();
const submissionId = await submit();
await approve();
await follow();
await answer();
await read();
console.log(JSON.stringify(diary));
process.exit(0);

async function build() {
  const course = await rpc(ada, "create_course", { p_title: "Mon atelier en ordre" });
  for (const module of given.modules) {
    await rpc(ada, "add_course_module", {
      p_course_id: course.id,
      p_builder_module_id: module,
    });
  }
  const last = (await modules(course.id)).at(-1);
  await rpc(ada, "move_course_module", {
    p_course_module_id: last.module_uuid,
    p_position: 0,
  });
  const [top, ...others] = await modules(course.id);
  diary["dragged to the top"] = [top, ...others].map((module) => module.title);
  await rpc(ada, "reorder_course_modules", {
    p_course_id: course.id,
    p_module_ids: [...others, top].map((module) => module.module_uuid),
  });
  diary["dropped in order"] = (await modules(course.id)).map((module) => module.title);
  return course.id;
}

async function submit() {
  diary["a client at the door of staff"] = await refused("ada", "submissions-admin");
  const screen = await watch("admin", "submissions-admin", "submission");
  const submission = await rpc(ada, "submit_user_parcours_for_validation", {
    p_course_id: courseId,
  });
  await until(() => screen.heard.length);
  diary["staff see it come"] = screen.heard.map((told) => [
    told.status,
    told.submission_id === submission.id,
  ]);
  const [listed] = await rpc(admin, "get_admin_formations_and_submissions", {
    p_kind: "submission",
    p_user_id: submission.user_id,
  });
  diary["staff find it"] = [
    listed.displayId === `submission:${submission.id}`,
    listed.title,
    listed.status,
  ];
  return submission.id;
}

async function approve() {
  const [first] = await modules(courseId);
  await rpc(ada, "update_course_module", {
    p_course_module_id: first.module_uuid,
    p_title: "Premiers pas",
  });
  const approval = ["approve_user_parcours_submission", { p_submission_id: submissionId }];
  const error = await refusal(admin, ...approval);
  const versions = JSON.parse(error.details);
  diary["a stale snapshot"] = [
    error.code,
    error.message,
    versions.course_version - versions.snapshot_version,
  ];
  const frozen = await rpc(admin, "refresh_submission_snapshot", {
    p_submission_id: submissionId,
  });
  diary["refreshed"] = frozen.course_version === versions.course_version;
  const twice = await Promise.all([rpc(admin, ...approval), rpc(admin, ...approval)]);
  diary["a double click"] = isDeepStrictEqual(...twice);
}

async function follow() {
  const topic = `kanban:${submissionId}`;
  const reason = await refused("stranger", topic);
  diary["a stranger at the door"] = reason.replace(submissionId, "…");
  const screens = [
    await watch("ada", topic, "module_moved"),
    await watch("admin", topic, "module_moved"),
  ];
  const shown = await readBoard();
  diary["the board at first"] = shown.map((card) => [card.status, card.title, card.duration]);
  const cards = shown.map((card) => card.status_id);
  await Promise.all([move(ada, cards.slice(0, 3)), move(admin, cards.slice(3))]);
  await until(() => screens.every((screen) => screen.heard.length === 2 * cards.length));

  const board = await readBoard();
  diary["the board at last"] = board.map((card) => [card.status, card.position]);
  const ids = board.map((card) => card.status_id);
  diary["each screen shows it"] = screens.map((screen) =>
    isDeepStrictEqual(replay(cards, screen.heard).done, ids)
  );
  diary["both heard the same"] = isDeepStrictEqual(
    ...screens.map((screen) => screen.heard.map((said) => said.id)),
  );
}

async function answer() {
  const tabs = [ada, open("ada")];
  const forms = [];
  for (const tab of tabs) forms.push(await rpc(tab, "get_training_onboarding_form"));
  diary["the form"] = [forms[0].sections.length, forms[0].status];
  const save = "save_training_onboarding_draft";
  const first = await rpc(tabs[0], save, {
    p_answers: { metier_activite: "Potière" },
    p_base_saved_at: forms[0].base_saved_at,
  });
  const late = { p_answers: { metier_activite: "Céramiste", inconnu: 1 } };
  const conflict = await refusal(tabs[1], save, {
    ...late,
    p_base_saved_at: forms[1].base_saved_at,
  });
  const again = await rpc(tabs[1], "get_training_onboarding_form");
  const kept = await rpc(tabs[1], save, { ...late, p_base_saved_at: again.base_saved_at });
  diary["two tabs"] = [
    first.dropped,
    conflict.code,
    conflict.message,
    again.draft_answers,
    kept.dropped,
  ];

  const send = "submit_training_onboarding";
  const error = await refusal(tabs[1], send, { p_answers: { motivation: 11 } });
  const { problems } = JSON.parse(error.details);
  diary["an unfinished form"] = [error.code, error.message, problems.length, problems.at(-1)];
  const done = await rpc(tabs[1], send, { p_answers: given.answers, p_nps: { answer: true } });
  diary["a finished form"] = done.status;
}

async function read() {
  const look = ["get_training_onboarding_summary", { p_user_id: subject(given.tokens.ada) }];
  const brief = await rpc(admin, ...look);
  const mine = await rpc(ada, "get_training_onboarding_summary");
  diary["the brief"] = [
    brief.title,
    mine.title,
    isDeepStrictEqual(brief.sections, mine.sections),
    brief.sections[0],
  ];
  const error = await refusal(open("stranger"), ...look);
  diary["a stranger's look"] = [error.code, error.message];
}

/** A page of somebody who is signed in. */
function open(name) {
  return createClient(given.url, given.publishable_key, {
    accessToken: async () => given.tokens[name],
    realtime: { transport: ws }, // Node has a WebSocket of its own from version 22
  });
}

/** A page that is joined to a private topic. */
async function watch(name, topic, event) {
  const screen = { heard: [], isJoined: false };
  open(name)
    .channel(topic, { config: { private: true } })
    .on("broadcast", { event }, ({ payload }) => screen.heard.push(payload))
    .subscribe((status) => (screen.isJoined ||= status === "SUBSCRIBED"));
  await until(() => screen.isJoined);
  return screen;
}

function refused(name, topic) {
  return new Promise((tell) => {
    const client = open(name);
    client.channel(topic, { config: { private: true } }).subscribe((status, error) => {
      if (status !== "CHANNEL_ERROR") return;
      tell(error.message);
      client.realtime.disconnect();
    });
  });
}

async function rpc(client, name, given) {
  const { data, error } = await client.rpc(name, given);
  if (error) throw new Error(`${name}: ${JSON.stringify(error)}`);
  return data;
}

async function refusal(client, name, given) {
  const { data, error } = await client.rpc(name, given);
  if (!error) throw new Error(`${name} was not refused: ${JSON.stringify(data)}`);
  return error;
}

async function modules(course) {
  return (await rpc(ada, "get_course", { p_course_id: course })).modules;
}

async function readBoard() {
  const { data } = await ada
    .from("kanban_user_modules_v1")
    .select("*")
    .eq("submission_id", submissionId)
    .order("position");
  return data;
}

async function move(client, cards) {
  for (const status of ["in_progress", "done"]) {
    for (const card of cards) {
      await rpc(client, "move_kanban_module", {
        p_status_id: card,
        p_status: status,
        p_position: 0,
      });
    }
  }
}

/** What a screen shows that began with these cards to do and follows what it hears. */
function replay(cards, heard) {
  const columns = { todo: [...cards], in_progress: [], done: [] };
  for (const said of heard) {
    const from = columns[said.from_status];
    from.splice(from.indexOf(said.status_id), 1);
    columns[said.status].splice(said.position, 0, said.status_id);
  }
  return columns;
}

function subject(token) {
  return JSON.parse(Buffer.from(token.split(".")[1], "base64url")).sub;
}

async function until(isSo) {
  const deadline = Date.now() + PATIENCE_MS;
  while (!isSo()) {
    if (Date.now() > deadline) throw new Error(`not so: ${isSo}`);
    await sleep(10);
  }
}
