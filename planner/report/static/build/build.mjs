// Rebuilds ../echarts.min.js:  npm ci && npm run build   (then put the printed sha256 into ../ECHARTS.md).
import { createHash } from "node:crypto";
import { readFileSync, writeFileSync } from "node:fs";
import { build } from "esbuild";

const target = new URL("../echarts.min.js", import.meta.url);
const { version } = JSON.parse(readFileSync(new URL("node_modules/echarts/package.json", import.meta.url)));
const banner = `/*! Apache ECharts ${version} (tree-shaken: see ECHARTS.md), Apache-2.0, (c) The Apache Software Foundation;
    includes zrender, BSD-3-Clause, (c) Baidu Inc.; and d3 parts, BSD-3-Clause, (c) Mike Bostock; and tslib, 0BSD, (c) Microsoft. */`;

const { outputFiles } = await build({
  entryPoints: [new URL("entry.js", import.meta.url).pathname],
  bundle: true,
  minify: true,
  format: "iife",
  globalName: "echarts",
  target: "es2019",
  charset: "ascii",
  legalComments: "none",
  define: { "process.env.NODE_ENV": '"production"', __DEV__: "false" },
  write: false,
});
// An inline <script> ends at the first "</script", wherever it stands, and "<!--" changes how it is read.
const code = outputFiles[0].text.replace(/<\/script/gi, "<\\/script").replace(/<!--/g, "<\\!--").replace(/\r/g, "");
const text = `${banner}\n${code}`;
writeFileSync(target, text);
console.log(`${text.length} bytes, sha256 ${createHash("sha256").update(text).digest("hex")}`);
