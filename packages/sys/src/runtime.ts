/** What the engine knows of this process: its command line, environment and end. */
export { args, engine, environment, exit, loadAsset } from '#host'
