// Objects that own a handle of the library: freed when they are collected (the addon's handles have finalizers), or
// by destroy().
"use strict";

const { check, refuse } = require("./error.js");

let handleOf;

class Handle {
    #kind;
    #handle;
    #destroy;

    /** `kind` is the name of the class; handleOf goes by it, so that nobody needs the class to look for its handles. */
    constructor(kind, create, destroy) {
        const out = [null];
        check(create(out));
        this.#kind = kind;
        this.#handle = out[0];
        this.#destroy = destroy;
    }

    /** Frees what the object holds now. A second time does nothing. */
    destroy() {
        if (this.#handle !== null) this.#destroy(this.#handle);
        this.#handle = null;
    }

    static {
        /** The handle of an object of that class. */
        handleOf = (name, object, kind) => {
            if (!(object instanceof Handle) || !(#handle in object) || object.#kind !== kind) {
                refuse(name, object, `one of class ${kind}`);
            }
            if (object.#handle === null) refuse(name, "destroyed", "a live one");
            return object.#handle;
        };
    }
}

if (Symbol.dispose) Handle.prototype[Symbol.dispose] = Handle.prototype.destroy;

module.exports = { Handle, handleOf };
