# What every binding is built with: Node-API 8, no C++ exceptions or RTTI, symbols hidden.
{
  'target_defaults': {
    'include_dirs': ["<!(node -p \"require('node-addon-api').include_dir\")"],
    'defines': ['NAPI_VERSION=8', 'NAPI_DISABLE_CPP_EXCEPTIONS', 'NODE_API_SWALLOW_UNTHROWABLE_EXCEPTIONS', '_GNU_SOURCE'],
    'cflags': ['-O2', '-Wall', '-Wextra', '-Wno-unused-parameter', '-Wno-missing-field-initializers', '-fvisibility=hidden', '-ffunction-sections', '-fdata-sections'],
    'cflags_c': ['-std=gnu11'],
    'cflags_cc': ['-std=c++17', '-fno-exceptions', '-fno-rtti', '-fno-threadsafe-statics'],
    # A binding that a worker thread loaded first must outlive that worker: its threads belong to the process.
    'ldflags': ['-Wl,-z,nodelete', '-Wl,--gc-sections', '-Wl,-z,relro,-z,now', '-s'],
  },
}
