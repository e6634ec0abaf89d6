// libsugar for Node: activation functions with surrogate gradients over typed arrays, without copies. index.d.ts
// describes it.
"use strict";

const { Activation } = require("./activation.js");
const { kinds, levels, version } = require("./catalogue.js");
const { Context } = require("./context.js");
const { SugarError } = require("./error.js");
const { Monitor } = require("./monitor.js");
const { CallOptions } = require("./options.js");
const { Tensor } = require("./tensor.js");

module.exports = { Activation, CallOptions, Context, Monitor, SugarError, Tensor, kinds, levels, version };
