// Reads diagrams as JSON on standard input, and writes what Mermaid has against each: null is nothing.

const { readFileSync } = require("node:fs");
const { runInThisContext } = require("node:vm");

runInThisContext(readFileSync(process.argv[2], "utf8"));

const fault = (diagram) => mermaid.parse(diagram).then(() => null, (error) => error.message);
const diagrams = JSON.parse(readFileSync(0, "utf8"));
Promise.all(diagrams.map(fault)).then((faults) => console.log(JSON.stringify(faults)));
