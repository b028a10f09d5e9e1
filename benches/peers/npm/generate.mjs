// node generate.mjs PACKAGE COUNT: makes COUNT unique codes of 12 characters by a package's own call, in a process
// of its own, and tells as JSON what that took: CPU seconds of all threads around the call, and the peak memory.
import { createRequire } from 'node:module';

const require = createRequire(import.meta.url);
const packages = {
  'voucher-code-generator': async () => require('voucher-code-generator'),
  'referral-codes': async () => import('referral-codes'),
};

const [name, counted] = process.argv.slice(2);
const count = Number(counted);
const { generate } = await packages[name]();

const before = process.cpuUsage();
const begun = process.hrtime.bigint();
const codes = generate({ length: 12, count });
const wall = Number(process.hrtime.bigint() - begun) / 1e9;
const used = process.cpuUsage(before);
const peak = process.resourceUsage().maxRSS * 1024;

if (codes.length !== count || new Set(codes).size !== count || codes.some((code) => code.length !== 12)) {
  throw new Error(`${name} did not make ${count} unique codes of 12 characters`);
}
console.log(JSON.stringify({
  value: { codes: codes.length, wall },
  cpu: (used.user + used.system) / 1e6,
  peak,
}));
