// The ops of sys, the threads that all bindings share, and the one watcher.
#include "node.h"
#include "ops.h"

namespace {

struct Watch : lc::Job {
  int64_t id = 0;
  uint32_t events = 0;
  void Run() override {}
  Napi::Value Result(Napi::Env env) override { return Napi::Number::New(env, events); }
};

// watch(fd, events, weak): { id, promise, handle }; the promise is for the events, 0 when it was taken back. A weak one lets the event loop end.
Napi::Value StartWatch(const Napi::CallbackInfo& info) {
  Napi::Env env = info.Env();
  auto* instance = env.GetInstanceData<lc::Instance>();
  if (!info[0].IsNumber() || !info[1].IsNumber() || !lc::OpenHome(env, instance)) {
    Napi::TypeError::New(env, "watch: takes a descriptor and events").ThrowAsJavaScriptException();
    return env.Undefined();
  }
  auto* watch = new Watch();
  watch->weak = info[2].ToBoolean();
  Napi::Object result = Napi::Object::New(env);
  result.Set("promise", lc::Promise(env, instance, watch));
  int64_t id = lc_threads.watch(
      info[0].As<Napi::Number>().Int32Value(), info[1].As<Napi::Number>().Uint32Value(),
      [](void* with, uint32_t events) {
        auto* watch = static_cast<Watch*>(with);
        watch->events = events;
        watch->Deliver();
      },
      watch);
  // From here on the watch may be gone; a refusal alone leaves it ours.
  result.Set("id", Napi::BigInt::New(env, id));
  if (id < 0) {
    watch->events = 0;
    watch->Deliver();
  }
  result.Set("handle", Napi::External<Watch>::New(env, watch));
  return result;
}

// unwatch(id, handle): true when the watch had not fired; its promise then resolves to 0.
Napi::Value StopWatch(const Napi::CallbackInfo& info) {
  bool lossless;
  int64_t id = info[0].As<Napi::BigInt>().Int64Value(&lossless);
  if (!lc_threads.unwatch(id)) return Napi::Boolean::New(info.Env(), false);
  info[1].As<Napi::External<Watch>>().Data()->Deliver();
  return Napi::Boolean::New(info.Env(), true);
}

// hold(1 or -1): keeps the event loop alive for somebody who waits for a weak watch, until taken back.
Napi::Value HoldLoop(const Napi::CallbackInfo& info) {
  Napi::Env env = info.Env();
  auto* instance = env.GetInstanceData<lc::Instance>();
  if (!lc::OpenHome(env, instance)) return env.Undefined();
  if (info[0].As<Napi::Number>().Int32Value() > 0) {
    lc::Hold(env, instance->home);
  } else {
    lc::Unhold(env, instance->home);
  }
  return env.Undefined();
}

}  // namespace

static Napi::Object Init(Napi::Env env, Napi::Object exports) {
  lc::Expose(env, exports, lc_sys_ops);
  env.GetInstanceData<lc::Instance>()->threads = &lc_threads;
  exports.Set("threads", Napi::External<struct lc_threads>::New(env, const_cast<struct lc_threads*>(&lc_threads)));
  exports.Set("watch", Napi::Function::New(env, StartWatch, "watch"));
  exports.Set("hold", Napi::Function::New(env, HoldLoop, "hold"));
  exports.Set("unwatch", Napi::Function::New(env, StopWatch, "unwatch"));
  return exports;
}
NODE_API_MODULE(sys, Init)
