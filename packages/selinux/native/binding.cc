// Hands the table of ops to the glue of Node-API, which turns it into functions.
#include "../../sys/native/node.h"
#include "ops.h"

static Napi::Object Init(Napi::Env env, Napi::Object exports) { return lc::Expose(env, exports, lc_selinux_ops); }
NODE_API_MODULE(selinux, Init)
