{
  'includes': ['../sys/native/binding.gypi'],
  'targets': [{
    'target_name': 'devices',
    'sources': ['native/binding.cc', 'native/ops.c'],
  }],
}
