{
  'includes': ['../sys/native/binding.gypi'],
  'targets': [{
    'target_name': 'console',
    'sources': ['native/binding.cc', 'native/ops.c'],
  }],
}
