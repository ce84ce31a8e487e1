export { IdOutOfRange, MAX_ID, NoGroupEntries, NoPasswdEntries } from './errors.js'
export { type ExecUser, getAdditionalGroups, getExecUser, ROOT_USER } from './exec-user.js'
export { features } from './features.js'
export { getAdditionalGroupsInRoot, getExecUserInRoot, MAX_FILE } from './in-root.js'
export type { Source } from './lines.js'
export {
  currentGroup,
  currentUser,
  type LookupFiles,
  lookupGid,
  lookupGroup,
  lookupUid,
  lookupUser,
} from './lookup.js'
export {
  type Filter,
  findGroup,
  findUser,
  type GroupEntry,
  type PasswdEntry,
  parseGroup,
  parsePasswd,
  streamGroup,
  streamPasswd,
} from './passwd.js'
export { probe } from './probe.js'
export { parseSubIds, type SubIdRange, subGids, subIdRanges, subUids } from './sub-ids.js'
