/** Bodies of hostile requests: mostly forms, as the endpoints take them. */

import type { Random } from "../crash/random.ts";
import { chance, type Field, hostileValue, oneOf, visible, withoutControls } from "./fuzz-values.ts";

const formType = "application/x-www-form-urlencoded";

/** Fields as a form or a query, now and then by somebody who can't encode. */
export function asForm(random: Random, fields: Field[]): string {
  if (chance(random, 0.95)) {
    return fields.map(([name, value]) => `${encode(name)}=${encode(value)}`).join("&");
  }
  const raw = fields
    .map(([name, value]) => `${name}${oneOf(random, ["=", "==", "", "=%", "[]=", "[$ne]="])}${value}`)
    .join(oneOf(random, ["&", "&&", ";"]));
  return visible(raw);
}

export function bodyOf(random: Random, fields: Field[]): { body: Buffer; headers: [string, string][] } {
  const form = Buffer.from(asForm(random, fields));
  if (chance(random, 0.85)) return { body: form, headers: [["content-type", formType]] };
  const json = JSON.stringify(Object.fromEntries(fields));
  const deep = "[".repeat(200) + "]".repeat(200);
  const nested = `{"__proto__":{"x7q":1},"csrf":{"$gt":""},"email":["a","b"],"deep":${deep}}`;
  const [type, body] = oneOf<[string, Buffer]>(random, [
    ["application/json", Buffer.from(json)],
    ["application/json", Buffer.from(nested)],
    ["application/json", Buffer.from(json.slice(0, -1))],
    ["text/plain", form],
    ["", form],
    [`${formType}; charset=x7q`, form],
    [`${formType}; charset=utf-16le`, form],
    [`${formType};;=`, form],
    [`${formType}, ${formType}`, form],
    [formType, Buffer.from(`email=${"a".repeat(30_000)}&${form}`)],
    [formType, Buffer.from(Array.from({ length: 1200 }, (_, at) => `f${at}=1`).join("&"))],
    [formType, Buffer.from(`${"a[".repeat(500)}=1&${form}`)],
    [formType, Buffer.from([0xff, 0xfe, 0, 0x26, 0x3d, 0x25, 0x80])],
    [
      "multipart/form-data; boundary=x7q",
      Buffer.from('--x7q\r\ncontent-disposition: form-data; name="csrf"\r\n\r\n1\r\n--x7q--'),
    ],
    ["multipart/form-data", Buffer.from("--")],
    ["application/xml", Buffer.from('<!DOCTYPE x [<!ENTITY x SYSTEM "file:///etc/passwd">]><x>&x;</x>')],
    ["application/jwt", Buffer.from("e30.e30.e30")],
    [withoutControls(hostileValue(random)), form],
  ]);
  const headers: [string, string][] = type === "" ? [] : [["content-type", type]];
  if (chance(random, 0.15))
    headers.push(["content-encoding", oneOf(random, ["gzip", "deflate", "br", "x7q", "identity"])]);
  return { body, headers };
}

function encode(text: string): string {
  return encodeURIComponent(text.toWellFormed());
}
