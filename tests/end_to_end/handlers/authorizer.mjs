// A correct authorizer for the devices of devices.jsonl, in JavaScript.
import { readFileSync } from "node:fs";

const lines = readFileSync(new URL("../devices.jsonl", import.meta.url), "utf8").trim().split("\n");
const devices = new Map(lines.map((line) => JSON.parse(line)).map((device) => [device.username, device]));

const answer = (isAuthenticated, principalId, clientId) => ({
  isAuthenticated,
  principalId,
  policyDocuments: isAuthenticated
    ? [{ Version: "2012-10-17", Statement: [{ Effect: "Allow", Action: "iot:Connect", Resource: `arn:aws:iot:x:1:client/${clientId}` }] }]
    : [],
  refreshAfterInSeconds: 300,
  disconnectAfterInSeconds: 3600,
});

export const handler = async (event) => {
  const mqtt = event.protocolData?.mqtt ?? {};
  const device = devices.get((mqtt.username ?? "").split("?")[0]);
  const password = Buffer.from(mqtt.password ?? "", "base64").toString("utf8");
  if (!device || device.password !== password || (mqtt.clientId ?? device.client_id) !== device.client_id) {
    return answer(false, "denied");
  }
  return answer(true, device.username.replaceAll("-", ""), device.client_id);
};
