// An authorizer with jsonwebtoken, as its documentation shows.
import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import jwt from "jsonwebtoken";

const here = dirname(fileURLToPath(import.meta.url));
const publicKey = readFileSync(join(here, "../../authorizers/first/profiles/jwt_public.pem"), "utf8");
const arn = "arn:aws:iot:eu-west-1:123456789012";

const denial = {
  isAuthenticated: false,
  principalId: "denied",
  policyDocuments: [],
  refreshAfterInSeconds: 300,
  disconnectAfterInSeconds: 300,
};

function tokenOf(event) {
  if (event.token) return event.token;
  const headers = event.protocolData?.http?.headers ?? {};
  const values = Object.entries(headers).filter(([name]) => name.toLowerCase() === "authorization");
  if (values.length === 1 && values[0][1].startsWith("Bearer ")) return values[0][1].slice("Bearer ".length);
  return Buffer.from(event.protocolData?.mqtt?.password ?? "", "base64").toString("ascii");
}

export const handler = async (event) => {
  let claims;
  try {
    claims = jwt.verify(tokenOf(event), publicKey, {
      algorithms: ["RS256"],
      audience: "iot-devices",
      issuer: "https://issuer.example",
    });
  } catch (error) {
    if (error instanceof jwt.JsonWebTokenError) return denial;
    throw error;
  }
  const device = claims.sub;
  if (typeof device !== "string" || !/^device-[0-9a-f]{8}$/.test(device)) return denial;
  const clientId = event.protocolData?.mqtt?.clientId;
  if (clientId !== undefined && clientId !== device) return denial;
  const statements = [
    { Effect: "Allow", Action: "iot:Connect", Resource: `${arn}:client/${device}` },
    { Effect: "Allow", Action: "iot:Publish", Resource: `${arn}:topic/devices/${device}/up` },
  ];
  return {
    isAuthenticated: true,
    principalId: device.replace("-", ""),
    policyDocuments: [JSON.stringify({ Version: "2012-10-17", Statement: statements })],
    refreshAfterInSeconds: 600,
    disconnectAfterInSeconds: 3600,
  };
};
