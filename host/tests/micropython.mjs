// SPDX-License-Identifier: Apache-2.0
// Runs host/tests/scripted.py with host/mqtt_at.py on MicroPython. NODE_FOLDER is where its package is installed.
import { createRequire } from "node:module";
import { readFileSync } from "node:fs";

const packages = createRequire(`${process.env.NODE_FOLDER}/`);
const { loadMicroPython } = await import(packages.resolve("@micropython/micropython-webassembly-pyscript/micropython.mjs"));
const python = await loadMicroPython({ stdout: (line) => console.log(line), linebuffer: true });
const here = (name) => readFileSync(new URL(name, import.meta.url), "utf8");
python.FS.writeFile("mqtt_at.py", here("../mqtt_at.py"));
python.runPython(here("scripted.py"));
python.runPython("import sys; print(sys.implementation.name)");
