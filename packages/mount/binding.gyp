{
  'includes': ['../sys/native/binding.gypi'],
  'targets': [{
    'target_name': 'mount',
    'sources': ['native/binding.cc', 'native/ops.c'],
  }],
}
