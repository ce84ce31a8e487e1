// The engine, changed in one point: what lies in the image is not counted.

/**
 * Every use of an object changes its count of references, and with it its page, which the kernel then has to copy: some hundred pages for a command of
 * milliseconds. Objects of the image live as long as the process: their count is set so high that it tells so, and stays as it is.
 */
const helpers = `
#define LC_PINNED (1 << 28)
static inline void lc_ref(const void *p)
{
    if (js_rc(p)->ref_count < LC_PINNED)
        js_rc(p)->ref_count++;
}
static inline int lc_unref(const void *p)
{
    return js_rc(p)->ref_count < LC_PINNED ? --js_rc(p)->ref_count : LC_PINNED;
}
`

/** The collector takes counts down and up again, of pinned objects too. */
const collector = { from: 'static void gc_decref_child(', to: 'static void gc_free_cycles(' }

const pinning = `
void lc_pin_objects(JSRuntime *rt)
{
    struct list_head *el;

    for (int i = 0; i < JS_ARENA_BLOCK_SIZE_COUNT; i++) {
        list_for_each(el, &rt->arena_state.arena_list[i]) {
            JSArena *ar = list_entry(el, JSArena, link);
            for (int k = 0; k < ar->n_blocks; k++)
                ((JSMallocBlockHeader *)arena_get_block(ar, k, arena_block_sizes[i]))->ref_count = LC_PINNED * 2;
        }
    }
    list_for_each(el, &rt->gc_obj_list)
        JS_REF_COUNT(list_entry(el, JSGCObjectHeader, link)) = LC_PINNED * 2;
    for (int i = 1; i < rt->atom_size; i++)
        if (!atom_is_free(rt->atom_array[i]))
            JS_REF_COUNT(rt->atom_array[i]) = LC_PINNED * 2;
}
`

const ACCESS = '#define JS_GC_MARK(p)   (js_rc(p)->mark)\n'

/** Where the engine counts, apart from its collector. */
const COUNTED = 25

/** The engine's text with that change. */
export function pinned(text) {
  const from = text.indexOf(collector.from)
  const to = text.indexOf(collector.to)
  const after = text.indexOf(ACCESS) + ACCESS.length
  let count = 0
  const counted = part =>
    part.replaceAll(/--JS_REF_COUNT\(([^()]+)\)|JS_REF_COUNT\(([^()]+)\)(\+\+|--)/g, (_, before, behind, how) => {
      count++
      return how === '++' ? `lc_ref(${behind})` : `lc_unref(${before ?? behind})`
    })
  const edited = [
    text.slice(0, after),
    helpers,
    counted(text.slice(after, from)),
    text.slice(from, to),
    counted(text.slice(to)),
    pinning,
  ].join('')
  if (from < 0 || to < from || after < ACCESS.length || count !== COUNTED)
    throw new Error(`quickjs.c is not the one that is known: it counts references in ${count} places`)
  return edited
}
