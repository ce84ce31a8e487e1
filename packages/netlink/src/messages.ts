/* Single requests, for who sends several in one system call: `NetlinkSocket.batch`. */
export { addAddress, deleteAddress } from './address-messages.js'
export { parseLink, parseLinkIndex } from './link.js'
export { addLink, deleteLink, getLink, moveLink, setLink } from './link-messages.js'
export { addRouteRequest } from './routes.js'
