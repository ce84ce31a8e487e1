{
  'includes': ['../sys/native/binding.gypi'],
  'targets': [{
    'target_name': 'seccomp',
    'sources': ['native/binding.cc', 'native/ops.c'],
  }],
}
