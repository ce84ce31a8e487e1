{
  'includes': ['../sys/native/binding.gypi'],
  'targets': [{
    'target_name': 'capabilities',
    'sources': ['native/binding.cc', 'native/ops.c'],
  }],
}
