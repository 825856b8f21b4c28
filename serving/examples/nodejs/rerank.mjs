// Reranks a list at a model server. From a JSON document on standard input,
//   {"user": {...}, "candidates": [{...}, ...], "history": [{...}, ...]}
// to one on standard output. Names of features are those of the data set's schema
// without candidate_ and history_; texts are strings and numbers are numbers.
//
//   node rerank.mjs --target 127.0.0.1:8500 --model psad --timeout 1000 < request.json
//
// --version asks for a version by its number or its label.
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import grpc from "@grpc/grpc-js";
import loader from "@grpc/proto-loader";

const PROTO = fileURLToPath(new URL("../../proto", import.meta.url));
const definition = loader.loadSync(["serving.proto", "example.proto"], {
  includeDirs: [PROTO],
  keepCase: true,
  longs: String, // an int64 does not fit into a number
  enums: String,
  defaults: true, // a field that was not sent has its empty value
});
const { PredictionService } = grpc.loadPackageDefinition(definition).tensorflow.serving;
const Example = definition["tensorflow.Example"];

const SERVICE_CONFIG = {
  loadBalancingConfig: [{ round_robin: {} }],
  methodConfig: [
    {
      name: [{ service: "tensorflow.serving.PredictionService" }],
      // The server shed the call or never took it; nothing else is worth another try.
      retryPolicy: {
        maxAttempts: 4,
        initialBackoff: "0.05s",
        maxBackoff: "1s",
        backoffMultiplier: 2,
        retryableStatusCodes: ["UNAVAILABLE", "RESOURCE_EXHAUSTED"],
      },
    },
  ],
};

/** One client for a process: it keeps one connection, which all calls share. */
export function openClient(target, credentials = grpc.credentials.createInsecure()) {
  return new PredictionService(target, credentials, {
    "grpc.service_config": JSON.stringify(SERVICE_CONFIG),
    "grpc.max_receive_message_length": -1,
    // Servers close connections that are pinged more often than every five minutes.
    "grpc.keepalive_time_ms": 300_000,
  });
}

/** The list as a serialized tf.train.Example. */
export function encodeList({ user, candidates, history = [] }) {
  const feature = {};
  const put = (items, prefix) => {
    for (const name of Object.keys(items[0] ?? {})) {
      const values = items.map((item) => item[name]);
      if (values.every((value) => typeof value === "string")) {
        const value = values.map((text) => Buffer.from(text, "utf8"));
        feature[prefix + name] = { bytes_list: { value } };
      } else if (values.every(Number.isFinite)) {
        feature[prefix + name] = { float_list: { value: values } };
      } else {
        throw new TypeError(
          `${prefix}${name}: ${JSON.stringify(values)}; give every item a text, or ` +
            "every item a finite number",
        );
      }
    }
  };
  put([user], "");
  put(candidates, "candidate_");
  put(history, "history_");
  return Example.serialize({ features: { feature } });
}

const READERS = {
  DT_FLOAT: ["float_val", 4, (bytes, at) => bytes.readFloatLE(at)],
  DT_INT32: ["int_val", 4, (bytes, at) => bytes.readInt32LE(at)],
};

/** The numbers of a tensor, row by row, from either way they are sent in. */
export function readTensor(tensor) {
  const size = tensor.tensor_shape.dim.reduce((n, dim) => n * Number(dim.size), 1);
  const [field, width, read] = READERS[tensor.dtype];
  const bytes = tensor.tensor_content;
  if (bytes.length) {
    return Array.from({ length: size }, (_, i) => read(bytes, i * width));
  }
  // The last value stands for all that are missing.
  const values = tensor[field];
  return Array.from({ length: size }, (_, i) => values[i] ?? values.at(-1) ?? 0);
}

/** Of a model's version: none for the newest, a number, or a label in letters. */
function versionChoice(version) {
  if (version === undefined) return {};
  return /^\d+$/.test(version) ? { version: { value: version } } : { version_label: version };
}

/** The candidates' ids, best first, with their scores and the version that answered. */
export async function rerank(
  client,
  list,
  { model = "psad", version, timeout = 1000 } = {},
) {
  const request = {
    model_spec: {
      name: model,
      signature_name: "serving_default",
      ...versionChoice(version),
    },
    inputs: {
      examples: {
        dtype: "DT_STRING",
        tensor_shape: { dim: [{ size: 1 }] },
        string_val: [encodeList(list)],
      },
    },
  };
  const deadline = Date.now() + timeout;
  const response = await new Promise((resolve, reject) => {
    client.Predict(request, { deadline }, (error, answer) =>
      error ? reject(error) : resolve(answer),
    );
  });
  const { outputs, model_spec: spec } = response;
  if (/^\d+$/.test(version) && spec?.version?.value !== String(version)) {
    throw new Error(`version ${spec?.version?.value} answered in place of ${version}`);
  }
  if (!outputs.scores || !outputs.order) {
    throw new Error(`no ranking: outputs ${Object.keys(outputs)}`);
  }
  const scores = readTensor(outputs.scores);
  const order = readTensor(outputs.order).slice(0, list.candidates.length);
  // A server answers OK with whatever the model computes: the client has to look.
  const isOrder =
    order.length === list.candidates.length &&
    [...order].sort((a, b) => a - b).every((place, i) => place === i);
  if (!isOrder || !order.every((place) => Number.isFinite(scores[place]))) {
    throw new Error(`no ranking: order ${order} with scores ${scores}`);
  }
  return {
    model_version: spec?.version ? Number(spec.version.value) : null,
    items: order.map((place) => ({
      item_id: list.candidates[place].item_id,
      score: scores[place],
    })),
  };
}

async function main() {
  const { values } = parseArgs({
    options: {
      target: { type: "string", default: "127.0.0.1:8500" },
      model: { type: "string", default: "psad" },
      version: { type: "string" },
      timeout: { type: "string", default: "1000" },
    },
  });
  const client = openClient(values.target);
  try {
    const list = JSON.parse(readFileSync(0, "utf8"));
    const timeout = Number(values.timeout);
    console.log(JSON.stringify(await rerank(client, list, { ...values, timeout })));
  } catch (error) {
    const code = grpc.status[error.code] ?? error.name;
    console.error(`error: ${code}: ${error.details ?? error.message}`);
    process.exitCode = 1;
  } finally {
    client.close();
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  await main();
}
