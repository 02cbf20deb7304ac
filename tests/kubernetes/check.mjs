// check.mjs FILE...: holds the YAML documents of each file against Kubernetes' own schema, and prints them as JSON, one
// a line. What does not fit is told on standard error, and the exit status is 1: a key that stands twice, a wrong type
// or word, a field that is missing, and one that the schema does not know. The validators are generated from
// Kubernetes' OpenAPI document; they read each field that they know and pass over any other, so a field that none of
// them has read is unknown.
import { readFileSync } from "node:fs";
import { parseAllDocuments } from "yaml";

const capitalized = (word) => word[0].toUpperCase() + word.slice(1);

function schema_of({ apiVersion, kind }) {
  const [version, group = "core"] = String(apiVersion).split("/").reverse();
  return `kubernetes-models/_schemas/IoK8sApi${capitalized(group.split(".")[0])}${capitalized(version)}${kind}`;
}

// The same object, of which `watched` remembers what has been read.
function watch(value, path, watched) {
  if (value === null || typeof value !== "object") {
    return value;
  }
  const entry = { value, path, read: new Set() };
  const members = new Map();
  watched.push(entry);
  return new Proxy(value, {
    get(target, key) {
      entry.read.add(key);
      if (!Object.hasOwn(target, key)) {
        return target[key];
      }
      if (!members.has(key)) {
        members.set(key, watch(target[key], `${path}/${String(key)}`, watched));
      }
      return members.get(key);
    },
  });
}

async function complaints_about(object) {
  let validate;
  try {
    ({ validate } = await import(schema_of(object)));
  } catch {
    return [`no kind '${object.kind}' in '${object.apiVersion}'`];
  }
  const watched = [];
  validate(watch(object, "", watched));
  const unfit = (validate.errors ?? []).map(
    ({ instancePath, keyword, params }) => `${instancePath || "/"}: ${keyword} ${JSON.stringify(params)}`);
  const unknown = watched.flatMap(({ value, path, read }) =>
    Object.keys(value).filter((key) => !read.has(key)).map((key) => `${path}/${key}: unknown field`));
  return [...unfit, ...unknown];
}

for (const file of process.argv.slice(2)) {
  // As kubectl reads it: of YAML 1.1, where yes and no are booleans.
  for (const document of parseAllDocuments(readFileSync(file, "utf8"), { version: "1.1", strict: true, uniqueKeys: true })) {
    const object = document.toJS();
    const complaints = document.errors.length ? document.errors.map(({ message }) => message) : await complaints_about(object);
    for (const complaint of complaints) {
      console.error(`${file}: ${complaint}`);
      process.exitCode = 1;
    }
    console.log(JSON.stringify(object));
  }
}
