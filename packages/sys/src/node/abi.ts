/** What a binding says of itself that goes with this JavaScript: LC_ABI of native/abi.h, where it stands what it covers. */
export const ABI = 'lc-abi-1'
