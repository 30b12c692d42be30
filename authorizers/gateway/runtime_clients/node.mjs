// A Lambda runtime client for Node.js: `node node.mjs FILE FUNCTION`, with AWS_LAMBDA_RUNTIME_API in the environment.
// Runs asynchronous handlers, and those that take a callback; reports errors as Lambda's own client does.
import http from "node:http";
import path from "node:path";
import { pathToFileURL } from "node:url";

const [file, name] = process.argv.slice(2);
const [host, port] = process.env.AWS_LAMBDA_RUNTIME_API.split(":");
const agent = new http.Agent({ keepAlive: true, maxSockets: 1, noDelay: true });
let currentRequestId = null;

function call(method, location, body = "", headers = {}) {
  return new Promise((resolve, reject) => {
    const length = { "Content-Type": "application/json", "Content-Length": Buffer.byteLength(body) };
    const options = { host, port, agent, method, path: `/2018-06-01/runtime/${location}` };
    const request = http.request({ ...options, headers: { ...length, ...headers } }, (response) => {
      const chunks = [];
      response.on("data", (chunk) => chunks.push(chunk));
      response.on("end", () => resolve({ headers: response.headers, body: Buffer.concat(chunks).toString("utf8") }));
      response.on("error", reject);
    });
    request.on("error", reject);
    request.end(body);
  });
}

function fail(location, error, type) {
  const known = error instanceof Error;
  const errorType = type ?? (known ? error.name : typeof error);
  const errorMessage = known ? error.message : String(error);
  const stackTrace = known ? (error.stack ?? "").split("\n") : [];
  const body = JSON.stringify({ errorType, errorMessage, stackTrace });
  return call("POST", location, body, { "Lambda-Runtime-Function-Error-Type": encodeURIComponent(errorType) });
}

async function loadHandler() {
  const module = await import(pathToFileURL(file).href);
  const handler = module[name] ?? module.default?.[name];
  if (typeof handler !== "function") {
    const error = new Error(`${path.basename(file)}.${name} is undefined or not exported`);
    error.name = "Runtime.HandlerNotFound";
    throw error;
  }
  return handler;
}

function run(handler, event, context) {
  return new Promise((resolve, reject) => {
    const callback = (error, answer) => (error == null ? resolve(answer) : reject(error));
    const returned = handler(event, context, callback);
    if (typeof returned?.then === "function") returned.then(resolve, reject);
    else if (handler.length < 3) resolve(returned);
  });
}

function contextOf(headers) {
  const deadline = Number(headers["lambda-runtime-deadline-ms"]);
  return {
    awsRequestId: headers["lambda-runtime-aws-request-id"],
    invokedFunctionArn: headers["lambda-runtime-invoked-function-arn"],
    functionName: process.env.AWS_LAMBDA_FUNCTION_NAME,
    functionVersion: process.env.AWS_LAMBDA_FUNCTION_VERSION,
    memoryLimitInMB: process.env.AWS_LAMBDA_FUNCTION_MEMORY_SIZE,
    logGroupName: process.env.AWS_LAMBDA_LOG_GROUP_NAME,
    logStreamName: process.env.AWS_LAMBDA_LOG_STREAM_NAME,
    callbackWaitsForEmptyEventLoop: false,
    getRemainingTimeInMillis: () => Math.max(0, deadline - Date.now()),
  };
}

// What is thrown outside of the handler's promise ends the environment, after it was reported.
function failOutside(type) {
  return (error) => {
    const location = currentRequestId === null ? "init/error" : `invocation/${currentRequestId}/error`;
    fail(location, error, type).finally(() => process.exit(1));
  };
}
process.on("uncaughtException", failOutside());
process.on("unhandledRejection", failOutside("Runtime.UnhandledPromiseRejection"));

let handler;
try {
  handler = await loadHandler();
} catch (error) {
  await fail("init/error", error);
  process.exit(1);
}
for (;;) {
  const { headers, body } = await call("GET", "invocation/next");
  const location = `invocation/${(currentRequestId = headers["lambda-runtime-aws-request-id"])}`;
  let answer;
  try {
    answer = JSON.stringify((await run(handler, JSON.parse(body), contextOf(headers))) ?? null);
  } catch (error) {
    await fail(`${location}/error`, error);
    continue;
  }
  await call("POST", `${location}/response`, answer);
}
