/** What the engine knows of this process: its command line, environment, signals and end. */
export { args, becomeProgram, calledAs, engine, environment, exit, findAsset, loadAsset, onSignals } from '#host'
