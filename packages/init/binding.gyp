{
  'includes': ['../sys/native/binding.gypi'],
  'targets': [{
    'target_name': 'init',
    'sources': ['native/binding.cc', 'native/ops.c'],
  }],
}
