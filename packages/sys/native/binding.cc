// The ops of sys, the threads that all bindings share, and the one watcher.
#include "node.h"
#include "ops.h"

namespace {

struct Watch : lc::Job {
  uint32_t events = 0;
  void Run() override {}
  Napi::Value Result(Napi::Env env) override { return Napi::Number::New(env, events); }
};

// watch(fd, events, weak): { promise, id }; the promise is for the events, 0 when it was taken back. A weak one lets the event loop end.
napi_value StartWatch(napi_env raw, napi_callback_info given) {
  Napi::Env env(raw);
  Napi::CallbackInfo info(raw, given);
  auto* instance = env.GetInstanceData<lc::Instance>();
  if (!info[0].IsNumber() || !info[1].IsNumber() || !lc::OpenHome(env, instance)) {
    Napi::TypeError::New(env, "watch: takes a descriptor and events").ThrowAsJavaScriptException();
    return nullptr;
  }
  auto* watch = new Watch();
  watch->weak = lc::IsTrue(info[2]);
  napi_value promise = lc::Promise(env, instance, watch);
  if (promise == nullptr) return nullptr;
  int64_t id = lc_threads.watch(
      info[0].As<Napi::Number>().Int32Value(), info[1].As<Napi::Number>().Uint32Value(),
      [](void* with, uint32_t events) {
        auto* watch = static_cast<Watch*>(with);
        watch->events = events;
        watch->Deliver();
      },
      watch);
  // From here on the watch may be gone; a refusal alone leaves it ours.
  if (id < 0) watch->Deliver();
  Napi::Object result = Napi::Object::New(env);
  napi_set_named_property(env, result, "promise", promise);
  napi_set_named_property(env, result, "id", Napi::BigInt::New(env, id));
  return result;
}

// unwatch(id): true when the watch had not fired; its promise then resolves to 0.
napi_value StopWatch(napi_env env, napi_callback_info raw) {
  Napi::CallbackInfo info(env, raw);
  bool lossless;
  if (!info[0].IsBigInt()) {
    Napi::TypeError::New(env, "unwatch: takes the id of a watch").ThrowAsJavaScriptException();
    return nullptr;
  }
  auto* watch = static_cast<Watch*>(lc_threads.unwatch(info[0].As<Napi::BigInt>().Int64Value(&lossless)));
  if (watch != nullptr) watch->Deliver();
  return Napi::Boolean::New(env, watch != nullptr);
}

// hold(1 or -1): keeps the event loop alive for somebody who waits for a weak watch, until taken back.
napi_value HoldLoop(napi_env raw, napi_callback_info given) {
  Napi::Env env(raw);
  Napi::CallbackInfo info(raw, given);
  auto* instance = env.GetInstanceData<lc::Instance>();
  if (!info[0].IsNumber() || !lc::OpenHome(env, instance)) {
    Napi::TypeError::New(env, "hold: takes 1 or -1").ThrowAsJavaScriptException();
    return nullptr;
  }
  if (info[0].As<Napi::Number>().Int32Value() > 0) {
    lc::Hold(env, instance->home);
  } else {
    lc::Unhold(env, instance->home);
  }
  return nullptr;
}

}  // namespace

static Napi::Object Init(Napi::Env env, Napi::Object exports) {
  lc::Expose(env, exports, lc_sys_ops);
  env.GetInstanceData<lc::Instance>()->threads = &lc_threads;
  napi_value threads;
  if (napi_create_external(env, const_cast<struct lc_threads*>(&lc_threads), nullptr, nullptr, &threads) == napi_ok)
    napi_set_named_property(env, exports, "threads", threads);
  lc::SetFunction(env, exports, "watch", StartWatch);
  lc::SetFunction(env, exports, "hold", HoldLoop);
  lc::SetFunction(env, exports, "unwatch", StopWatch);
  return exports;
}
NODE_API_MODULE(sys, Init)
