// The engine, changed in one point: of a function whose variables no other function uses, the compiled form has no list of them.

/**
 * The list is 20 bytes a variable in every function of the image, and a name. What runs asks it where a closure's variables are, direct eval() what their names
 * are, which no module of ours calls, and an error of a variable used before it is set its name. The engine reads functions without it as they are: it writes them where it strips.
 */
const helper = `
static bool lc_lists_variables(const JSFunctionBytecode *b)
{
    for (int i = 0; b->vardefs && i < b->arg_count + b->var_count; i++) {
        if (b->vardefs[i].is_captured)
            return true;
    }
    return false;
}

`

const WRITER = 'static int JS_WriteFunctionTag('
const WRITES = '    if (b->vardefs) {\n        /* XXX: this field is redundant */'

/** The engine's text with that change. */
export function withoutLocals(text) {
  const at = text.indexOf(WRITER)
  const [before, after, ...more] = text.slice(at).split(WRITES)
  if (at < 0 || after === undefined || more.length > 0)
    throw new Error('quickjs.c is not the one that is known: it writes no list of variables')
  return `${text.slice(0, at)}${helper}${before}${WRITES.replace('b->vardefs', 'lc_lists_variables(b)')}${after}`
}
