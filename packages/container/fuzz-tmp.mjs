import { validateShape } from '@libcontainer/container'
import fc from 'fast-check'
const fields = ['rootfs','readonlyRootfs','rootPropagation','namespaces','uidMappings','gidMappings','timeOffsets','hostname','domainname','mounts','devices','cgroups','capabilities','seccomp','maskedPaths','readonlyPaths','sysctl','rlimits','oomScoreAdj','noNewPrivileges','umask','parentDeathSignal','labels']
const any = fc.anything({withBigInt:true, withNullPrototype:true, maxDepth:3})
const seen = new Map()
function tryit(c){ try { const r = validateShape(c); if(!Array.isArray(r)) throw new Error('no array'); return r } catch(e){ const k = String(e.message).slice(0,80)+ (e.stack.split('\n').find(l=>l.includes('.js'))||''); if(!seen.has(k)) seen.set(k, c) } }
const shapes = {
 mounts: fc.array(fc.record({destination:any,type:any,source:any,options:any},{requiredKeys:[]})),
 devices: fc.array(fc.record({path:any,type:any,major:any,minor:any,mode:any,uid:any,gid:any,access:any,source:any},{requiredKeys:[]})),
 namespaces: fc.array(fc.record({kind:fc.oneof(any,fc.constantFrom('user','net','mnt')),path:any},{requiredKeys:[]})),
 uidMappings: fc.array(fc.record({containerId:any,hostId:any,size:any},{requiredKeys:[]})),
 timeOffsets: fc.record({monotonic:any,boottime:fc.record({secs:any,nanosecs:any},{requiredKeys:[]})},{requiredKeys:[]}),
 cgroups: fc.record({path:any,memory:any,cpu:any,pids:any,cpuset:any,unified:any,devices:fc.oneof(any,fc.array(fc.record({type:any,major:any,minor:any,access:any,allow:any},{requiredKeys:[]})))},{requiredKeys:[]}),
 rlimits: fc.array(fc.record({type:fc.oneof(any,fc.constant('RLIMIT_NOFILE')),soft:any,hard:any},{requiredKeys:[]})),
 seccomp: fc.record({defaultAction:fc.oneof(any,fc.constant('SCMP_ACT_ALLOW')),architectures:any,flags:any,syscalls:fc.oneof(any,fc.array(fc.record({names:any,action:fc.oneof(any,fc.constant('SCMP_ACT_ERRNO')),args:any,errnoRet:any},{requiredKeys:[]})))},{requiredKeys:[]}),
 capabilities: fc.record({bounding:any,effective:any},{requiredKeys:[]}),
 sysctl: fc.dictionary(fc.string(), any),
}
for (const f of fields) {
  fc.assert(fc.property(any, v=>{ tryit({rootfs:'/x',[f]:v}); tryit({rootfs:'/x',namespaces:['mnt','user','time','net','uts','ipc'],uidMappings:[{containerId:0,hostId:0,size:1}],gidMappings:[{containerId:0,hostId:0,size:1}],[f]:v}) }),{numRuns:300})
  if (shapes[f]) fc.assert(fc.property(shapes[f], v=>{ tryit({rootfs:'/x',[f]:v});tryit({rootfs:'/x',namespaces:['mnt','user','time','net','uts','ipc'],uidMappings:[{containerId:0,hostId:0,size:1}],gidMappings:[{containerId:0,hostId:0,size:1}],[f]:v}) }),{numRuns:500})
}
for (const [k,v] of seen) console.log(k,'\n   ', fc.stringify(v).slice(0,300))
