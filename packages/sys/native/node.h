/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The glue of Node-API: turns a table of ops into functions, once for all packages.
 *
 * A binding's exports: `sync` and `async` (an op's two forms), `apply(plan, failure)`, `attach(threads)`, which the loader calls with what sys'
 * binding exports, since the threads are sys', and before all else `abi`, without whose right value the loader calls nothing. An off-thread op works on copies of its strings and bytes: the
 * environment that asked may be gone before it ends.
 *
 * An environment that is being ended (worker.terminate()) refuses whatever could run JavaScript, promises and properties too, while a call of
 * ours is still under way in it. Nobody sees that call's answer; but node-addon-api takes the refusal for an exception, cannot make one, and
 * ends the whole process. So what may be refused so is asked of Node-API itself here, and its status looked at.
 */
#ifndef LC_NODE_H
#define LC_NODE_H

#include <napi.h>

#include <pthread.h>

#include <algorithm>
#include <cstring>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "abi.h"
#include "apply.h"
#include "libcxx.h"
#include "op.h"
#include "threads.h"

namespace lc {

/* What src/binding.ts reads as a failure. */
struct Failure {
  uint32_t step;
  int32_t error;
  char syscall[32];
  char detail[sizeof(lc_ctx::detail)];
};

struct Job;

/* An environment's end of the way back from our threads. Lives until the environment and all its jobs are gone. */
struct Home {
  pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
  napi_threadsafe_function deliver = nullptr;
  bool closed = false;
  int references = 1;
  int pending = 0;  // touched by JavaScript's thread alone

  void Release() {
    pthread_mutex_lock(&lock);
    bool last = --references == 0;
    pthread_mutex_unlock(&lock);
    if (last) delete this;
  }
};

struct Instance {
  const struct lc_op* ops = nullptr;
  const struct lc_threads* threads = nullptr;
  Home* home = nullptr;
};

/* One asynchronous call: our lc_job, and what JavaScript's thread needs to answer. */
struct Job : lc_job {
  Home* home = nullptr;
  napi_deferred deferred = nullptr;
  bool weak = false;  // does not keep the event loop alive
  std::vector<std::pair<size_t, napi_ref>> buffers;  // which argument, and the Uint8Array to fill
  virtual ~Job() = default;
  virtual void Run() = 0;
  virtual Napi::Value Result(Napi::Env env) = 0;

  /* From any thread: hands the job back to JavaScript's, or frees it when that has ended. */
  void Deliver() {
    Home* to = home;
    pthread_mutex_lock(&to->lock);
    bool gone = to->closed || napi_call_threadsafe_function(to->deliver, this, napi_tsfn_nonblocking) != napi_ok;
    pthread_mutex_unlock(&to->lock);
    if (gone) {
      delete this;
      to->Release();
    }
  }
};

inline void RunJob(lc_job* job) {
  auto* self = static_cast<Job*>(job);
  self->Run();
  self->Deliver();
}

/* While anything is awaited the event loop stays alive. */
inline void Hold(napi_env env, Home* home) {
  if (home->pending++ == 0) napi_ref_threadsafe_function(env, home->deliver);
}

inline void Unhold(napi_env env, Home* home) {
  if (--home->pending == 0) napi_unref_threadsafe_function(env, home->deliver);
}

/* On JavaScript's thread; `raw` is null when the environment is being torn down. */
inline void Delivered(napi_env raw, napi_value, void*, void* data) {
  auto* job = static_cast<Job*>(data);
  Home* home = job->home;
  if (raw != nullptr) {
    Napi::Env env(raw);
    Napi::HandleScope scope(env);
    napi_value result = job->Result(env);
    napi_resolve_deferred(env, job->deferred, result);
    for (auto& buffer : job->buffers) napi_delete_reference(env, buffer.second);
    if (!job->weak) Unhold(env, home);
  }
  delete job;
  home->Release();
}

inline bool OpenHome(Napi::Env env, Instance* instance) {
  if (instance->home != nullptr) return true;
  auto* home = new Home();
  napi_value name = Napi::String::New(env, "libcontainer");
  if (napi_create_threadsafe_function(env, nullptr, nullptr, name, 0, 1, nullptr, nullptr, nullptr, Delivered, &home->deliver) != napi_ok) {
    delete home;
    return false;
  }
  napi_unref_threadsafe_function(env, home->deliver);
  // Runs before Node-API ends the threadsafe function itself: hooks run in reverse order.
  napi_add_env_cleanup_hook(
      env,
      [](void* data) {
        auto* home = static_cast<Home*>(data);
        pthread_mutex_lock(&home->lock);
        home->closed = true;
        pthread_mutex_unlock(&home->lock);
        home->Release();
      },
      home);
  instance->home = home;
  return true;
}

/* Registers a job with its environment and answers its promise; without one (see above) the job is gone, and nothing is to be done. */
inline napi_value Promise(Napi::Env env, Instance* instance, Job* job) {
  napi_value promise;
  if (napi_create_promise(env, &job->deferred, &promise) != napi_ok) {
    delete job;
    return nullptr;
  }
  job->run = RunJob;
  job->home = instance->home;
  pthread_mutex_lock(&job->home->lock);
  job->home->references++;
  pthread_mutex_unlock(&job->home->lock);
  if (!job->weak) Hold(env, job->home);
  return promise;
}

struct OpCall : Job {
  const struct lc_op* op = nullptr;
  union lc_arg args[LC_MAX_ARGS] = {};
  std::vector<std::string> copies;
  std::vector<std::unique_ptr<uint8_t[]>> written;  // not cleared before
  int64_t result = 0;

  void Run() override {
    struct lc_ctx c = {};
    result = op->call(&c, args);
  }

  Napi::Value Result(Napi::Env env) override {
    for (auto& [index, reference] : buffers) {
      napi_value value;
      void* at = nullptr;
      size_t size = 0;
      if (napi_get_reference_value(env, reference, &value) != napi_ok || value == nullptr) continue;
      napi_get_typedarray_info(env, value, nullptr, &size, &at, nullptr, nullptr);
      if (at != nullptr && size == args[index].b.size) std::memcpy(at, args[index].b.at, Written(index));
    }
    return Napi::Number::New(env, static_cast<double>(result));
  }

  /* How many bytes of an argument are to be copied back. */
  size_t Written(size_t index) {
    if (op->signature[index] != 'o') return args[index].b.size;
    return result < 0 ? 0 : std::min(static_cast<size_t>(result), args[index].b.size);
  }
};

inline bool IsTrue(Napi::Value value) {
  bool is = false;
  return napi_get_value_bool(value.Env(), value, &is) == napi_ok && is;
}

/* Reads the arguments as the signature says; throws a TypeError for any other kind. Bytes point into JavaScript's memory. */
inline bool ReadArguments(const Napi::CallbackInfo& info, const struct lc_op* op, union lc_arg* args, std::string* strings) {
  Napi::Env env = info.Env();
  for (size_t i = 0; op->signature[i] != 0; i++) {
    Napi::Value value = info[i];
    if (op->signature[i] == 'i' && value.IsNumber()) {
      args[i].i = value.As<Napi::Number>().Int64Value();
    } else if (op->signature[i] == 'i' && value.IsBigInt()) {
      bool lossless;
      // A u64 above the signed range keeps its bits.
      args[i].i = static_cast<int64_t>(value.As<Napi::BigInt>().Uint64Value(&lossless));
    } else if (op->signature[i] == 's' && value.IsString()) {
      strings[i] = value.As<Napi::String>().Utf8Value();
      if (strings[i].find('\0') != std::string::npos) {
        Napi::TypeError::New(env, std::string(op->name) + ": a string holds a NUL byte").ThrowAsJavaScriptException();
        return false;
      }
      args[i].s = strings[i].c_str();
    } else if (op->signature[i] == 's' && value.IsTypedArray() && value.As<Napi::TypedArray>().TypedArrayType() == napi_uint8_array) {
      /* A name that is no UTF-8, as C has it: NUL is its last byte, and only that. */
      auto bytes = value.As<Napi::Uint8Array>();
      strings[i].assign(reinterpret_cast<const char*>(bytes.Data()), bytes.ByteLength());
      if (strings[i].find('\0') + 1 != strings[i].size() || strings[i].empty()) {
        Napi::TypeError::New(env, std::string(op->name) + ": the bytes of a string do not end at their one NUL").ThrowAsJavaScriptException();
        return false;
      }
      strings[i].pop_back();
      args[i].s = strings[i].c_str();
    } else if ((op->signature[i] == 'b' || op->signature[i] == 'o') && value.IsTypedArray() && value.As<Napi::TypedArray>().TypedArrayType() == napi_uint8_array) {
      auto bytes = value.As<Napi::Uint8Array>();
      args[i].b.at = bytes.Data();
      args[i].b.size = bytes.ByteLength();
    } else {
      Napi::TypeError::New(env, std::string(op->name) + ": argument " + static_cast<char>('1' + i) + " is of the wrong kind")
          .ThrowAsJavaScriptException();
      return false;
    }
  }
  return true;
}

inline napi_value CallNow(napi_env env, napi_callback_info raw) {
  Napi::CallbackInfo info(env, raw);
  auto* op = static_cast<const struct lc_op*>(info.Data());
  union lc_arg args[LC_MAX_ARGS] = {};
  std::string strings[LC_MAX_ARGS];
  struct lc_ctx c = {};
  if (!ReadArguments(info, op, args, strings)) return nullptr;
  return Napi::Number::New(env, static_cast<double>(op->call(&c, args)));
}

inline napi_value CallLater(napi_env raw, napi_callback_info given) {
  Napi::Env env(raw);
  Napi::CallbackInfo info(raw, given);
  auto* instance = env.GetInstanceData<Instance>();
  auto* op = static_cast<const struct lc_op*>(info.Data());
  auto* call = new OpCall();
  std::string strings[LC_MAX_ARGS];
  call->op = op;
  if (!ReadArguments(info, op, call->args, strings) || !OpenHome(env, instance)) {
    delete call;
    return nullptr;
  }
  call->copies.reserve(LC_MAX_ARGS);
  for (size_t i = 0; op->signature[i] != 0; i++) {
    if (op->signature[i] == 's') {
      call->copies.push_back(std::move(strings[i]));
      call->args[i].s = call->copies.back().c_str();
    } else if (op->signature[i] != 'i') {
      auto& bytes = call->args[i].b;
      napi_ref reference;
      if (op->signature[i] == 'o') {
        call->written.emplace_back(new uint8_t[bytes.size]);
        bytes.at = call->written.back().get();
      } else {
        call->copies.emplace_back(reinterpret_cast<char*>(bytes.at), bytes.size);
        bytes.at = reinterpret_cast<uint8_t*>(call->copies.back().data());
      }
      napi_create_reference(env, info[i], 1, &reference);
      call->buffers.emplace_back(i, reference);
    }
  }
  napi_value promise = Promise(env, instance, call);
  if (promise == nullptr) return nullptr;
  int error = instance->threads->submit(call, op->lane);
  if (error < 0) {
    call->result = error;
    call->Deliver();
  }
  return promise;
}

/* Runs all steps of a plan; the slots' descriptors are the plan's own and are closed at its end. */
struct PlanCall : Job {
  const struct lc_op* tables[3] = {nullptr, nullptr, nullptr};  // the facility's, and sys'
  std::vector<uint64_t> plan;  // aligned to 8
  size_t size = 0;
  Failure failure = {};
  int64_t results[LC_MAX_SLOTS];  // what each slot holds; -1 for one that no step filled
  int64_t result = 0;

  PlanCall() { std::memset(results, 0xff, sizeof(results)); }

  void Run() override {
    struct lc_ctx c = {};
    struct lc_plan opened;
    uint32_t step = 0;
    result = lc_plan_open(&c, &opened, reinterpret_cast<uint8_t*>(plan.data()), size, tables);
    while (result == 0 && step < opened.steps) {
      result = lc_plan_step(&c, &opened, step);
      if (result == 0) step++;
    }
    for (size_t i = 0; i < LC_MAX_SLOTS; i++) results[i] = opened.slots[i].kind == 1 ? opened.slots[i].i : -1;
    if (result == 0) return;
    failure.step = step;
    failure.error = static_cast<int32_t>(-result);
    std::strncpy(failure.syscall, c.syscall == nullptr ? "" : c.syscall, sizeof(failure.syscall) - 1);
    std::memcpy(failure.detail, c.detail, sizeof(failure.detail));
  }

  Napi::Value Result(Napi::Env env) override {
    napi_value value;
    void* at = nullptr;
    size_t have = 0;
    if (napi_get_reference_value(env, buffers[0].second, &value) == napi_ok && value != nullptr) {
      napi_get_typedarray_info(env, value, nullptr, &have, &at, nullptr, nullptr);
      if (at != nullptr && have >= sizeof(failure)) {
        std::memcpy(at, &failure, sizeof(failure));
        have = have - sizeof(failure) < sizeof(results) ? have - sizeof(failure) : sizeof(results);
        std::memcpy(static_cast<char*>(at) + sizeof(failure), results, have);
      }
    }
    if (buffers.size() > 1 && napi_get_reference_value(env, buffers[1].second, &value) == napi_ok && value != nullptr) {
      napi_get_typedarray_info(env, value, nullptr, &have, &at, nullptr, nullptr);
      if (at != nullptr && have == size) std::memcpy(at, plan.data(), size);
    }
    return Napi::Number::New(env, static_cast<double>(result));
  }
};

/* apply(plan, failure, back): with `back`, what ops wrote into the plan's bytes is there afterwards. */
inline napi_value Apply(napi_env raw, napi_callback_info given) {
  Napi::Env env(raw);
  Napi::CallbackInfo info(raw, given);
  auto* instance = env.GetInstanceData<Instance>();
  if (!info[0].IsTypedArray() || !info[1].IsTypedArray() || !OpenHome(env, instance)) {
    Napi::TypeError::New(env, "apply: takes a plan and a buffer for its failure").ThrowAsJavaScriptException();
    return nullptr;
  }
  auto bytes = info[0].As<Napi::Uint8Array>();
  auto* call = new PlanCall();
  napi_ref reference;
  call->tables[0] = instance->ops;
  call->tables[1] = instance->threads->ops;
  call->size = bytes.ByteLength();
  call->plan.resize((call->size + 7) / 8);
  std::memcpy(call->plan.data(), bytes.Data(), call->size);
  napi_create_reference(env, info[1], 1, &reference);
  call->buffers.emplace_back(0, reference);
  if (IsTrue(info[2])) {
    napi_create_reference(env, info[0], 1, &reference);
    call->buffers.emplace_back(1, reference);
  }
  napi_value promise = Promise(env, instance, call);
  if (promise == nullptr) return nullptr;
  int error = instance->threads->submit(call, 0);
  if (error < 0) {
    call->result = error;
    call->Deliver();
  }
  return promise;
}

inline napi_value Attach(napi_env env, napi_callback_info raw) {
  Napi::CallbackInfo info(env, raw);
  auto* instance = info.Env().GetInstanceData<Instance>();
  if (info[0].IsExternal()) instance->threads = info[0].As<Napi::External<struct lc_threads>>().Data();
  return nullptr;
}

inline void SetFunction(napi_env env, napi_value object, const char* name, napi_callback callback, void* data = nullptr) {
  napi_value function;
  if (napi_create_function(env, name, NAPI_AUTO_LENGTH, callback, data, &function) == napi_ok)
    napi_set_named_property(env, object, name, function);
}

inline Napi::Object Expose(Napi::Env env, Napi::Object exports, const struct lc_op* ops) {
  auto* instance = new Instance();
  Napi::Object sync = Napi::Object::New(env);
  Napi::Object async = Napi::Object::New(env);
  instance->ops = ops;
  env.SetInstanceData(instance);
  for (const struct lc_op* op = ops; op->name != nullptr; op++) {
    void* data = const_cast<struct lc_op*>(op);
    SetFunction(env, sync, op->name, CallNow, data);
    SetFunction(env, async, op->name, CallLater, data);
  }
  napi_value abi;
  if (napi_create_string_utf8(env, LC_ABI, NAPI_AUTO_LENGTH, &abi) == napi_ok) napi_set_named_property(env, exports, "abi", abi);
  napi_set_named_property(env, exports, "sync", sync);
  napi_set_named_property(env, exports, "async", async);
  SetFunction(env, exports, "apply", Apply);
  SetFunction(env, exports, "attach", Attach);
  return exports;
}

}  // namespace lc
#endif
