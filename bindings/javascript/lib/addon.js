// Finds the compiled addon: the environment variable SUGAR_ADDON, then what node-gyp built in this package.
"use strict";

const path = require("node:path");

const file = process.env.SUGAR_ADDON || path.join(__dirname, "..", "build", "Release", "sugar.node");
try {
    module.exports = require(file);
} catch (error) {
    throw new Error(`libsugar: '${file}' cannot be loaded (${error.message}); expected the addon to be built ` +
        "(npm install) and libsugar to be installed", { cause: error });
}
