// Monitors: what the units of a layer have seen.
"use strict";

const c = require("./lowlevel.js");
const { check, checkMembers, integer, refuse } = require("./error.js");
const { Handle, handleOf } = require("./handle.js");
const { optionsOf } = require("./options.js");
const { Tensor, viewOf } = require("./tensor.js");

/** Members of a struct with counts as numbers, exact up to 2^53, under names of JavaScript's kind. */
function members(struct) {
    const named = Object.entries(struct).map(([name, value]) =>
        [name.replace(/_(\w)/g, (_, letter) => letter.toUpperCase()), Number(value)]);
    return Object.fromEntries(named);
}

const RESTORE = Symbol("restore");

class Monitor extends Handle {
    constructor(units, options = {}) {
        let create;
        if (units === RESTORE) {
            create = (out) => c.sugar_monitor_restore(out, options, options.byteLength);
        } else {
            checkMembers("monitor", options, ["axisFromEnd", "bins", "threshold", "minimum", "maximum", "every"]);
            const { axisFromEnd = 0, bins = 0, threshold = 0, minimum = 0, maximum = 0, every = 0 } = options;
            integer("units", units);
            const struct = { axis_from_end: integer("axisFromEnd", axisFromEnd), bins: integer("bins", bins), threshold,
                minimum, maximum, every: integer("every", every) };
            create = (out) => c.sugar_monitor_create(out, units, struct);
        }
        super("Monitor", create, c.sugar_monitor_destroy);
    }

    static restore(saved) {
        if (!(saved instanceof Uint8Array)) refuse("saved", saved, "a Uint8Array");
        return new Monitor(RESTORE, saved);
    }

    get #handle() {
        return handleOf("monitor", this, "Monitor");
    }

    observe(x, options) {
        const view = viewOf("x", Tensor.from("x", x)), struct = optionsOf(options);
        check(c.sugar_monitor_observe(this.#handle, view, struct));
    }

    reset() {
        check(c.sugar_monitor_reset(this.#handle));
    }

    merge(other) {
        check(c.sugar_monitor_merge(this.#handle, handleOf("other", other, "Monitor")));
    }

    summary() {
        const summary = {};
        check(c.sugar_monitor_get(this.#handle, summary));
        return members(summary);
    }

    unit(index) {
        const unit = {};
        check(c.sugar_monitor_get_unit(this.#handle, integer("index", index), unit));
        return members(unit);
    }

    dead(rate = 0) {
        const count = new BigInt64Array(1), handle = this.#handle;
        check(c.sugar_monitor_find_dead(handle, rate, null, 0, count));
        const indices = new BigInt64Array(Number(count[0]));
        check(c.sugar_monitor_find_dead(handle, rate, indices, indices.length, count));
        return Array.from(indices, Number);
    }

    histogram() {
        const { bins } = this.summary(), counts = new BigInt64Array(bins), edges = new Float64Array(bins - 1);
        check(c.sugar_monitor_get_histogram(this.#handle, counts, edges, bins));
        return { counts: Array.from(counts, Number), edges: Array.from(edges) };
    }

    save() {
        const handle = this.#handle, buffer = new Uint8Array(c.sugar_monitor_save_size(handle));
        check(c.sugar_monitor_save(handle, buffer, buffer.length));
        return buffer;
    }
}

module.exports = { Monitor };
