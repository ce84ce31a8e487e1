// What clang makes: the binding of libFuzzer for Node.js, and the targets that are C.
import { execFileSync } from 'node:child_process'
import { mkdirSync, readdirSync, statSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { headers } from '../../scripts/bindings.mjs'
import { initSources, warnings } from '../../scripts/build-init.mjs'
import { top } from '../../scripts/quietly.mjs'

export const places = {
  targets: join(top, 'fuzz/targets'),
  crashes: join(top, 'fuzz/crashes'),
  made: join(top, '.cache/fuzz'),
}

const newest = files => Math.max(...files.map(file => statSync(file).mtimeMs))

/** Compiles where the output is missing, or older than what it is made of. */
function compiled(output, sources, args) {
  const made = statSync(output, { throwIfNoEntry: false })?.mtimeMs ?? 0
  if (made < newest([...sources, import.meta.filename])) {
    mkdirSync(dirname(output), { recursive: true })
    execFileSync('clang', [...args, '-o', output, ...sources.filter(file => file.endsWith('.c'))], { stdio: 'inherit' })
  }
  return output
}

/** The binding. It is libFuzzer without its main(), whole, since nothing of it may be left out by the linker. */
export function engine() {
  const machine = { x64: 'x86_64', arm64: 'aarch64' }[process.arch]
  const resources = execFileSync('clang', ['--print-resource-dir'], { encoding: 'utf8' }).trim()
  const library = join(resources, `lib/linux/libclang_rt.fuzzer_no_main-${machine}.a`)
  const args = ['-O2', '-Wall', '-shared', '-fPIC', `-I${join(headers() ?? '/usr', 'include/node')}`]
  const link = ['-Wl,--whole-archive', library, '-Wl,--no-whole-archive', '-lstdc++', '-lm', '-lpthread']
  return compiled(join(places.made, 'engine.node'), [join(top, 'fuzz/engine/binding.c')], [...args, ...link])
}

/** What a target of C is linked with: all of `init`, whose main file the target includes. */
export function nativeSources(name) {
  const others = initSources().filter(file => !/\/init\/native\/(init|rendezvous).c$/.test(file))
  return [join(places.targets, `${name}.c`), ...others]
}

/** How, but for libFuzzer: any compiler takes it, and notices what reads beyond an end, and other undefined behaviour. */
export const nativeFlags = [
  ...['-std=gnu11', '-D_GNU_SOURCE', '-g', '-O1', '-fno-omit-frame-pointer', ...warnings, '-Wno-unused-function'],
  ...['-fsanitize=address,undefined', '-fno-sanitize-recover=undefined'],
  `-DINIT="${join(top, 'packages/init/native/init.c')}"`,
]

/** A target of C, with libFuzzer. */
export function nativeTarget(name) {
  const sources = nativeSources(name)
  const folders = [...new Set(sources.map(file => dirname(file)))]
  const headersOf = folders.flatMap(folder =>
    readdirSync(folder)
      .filter(file => file.endsWith('.h'))
      .map(file => join(folder, file)),
  )
  return compiled(join(places.made, name), [...sources, ...headersOf], [...nativeFlags, '-fsanitize=fuzzer'])
}
