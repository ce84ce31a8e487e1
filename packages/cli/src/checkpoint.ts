export { imageWords, inImageWords } from './image-words.js'
export { telling } from './tell-checkpoint.js'
