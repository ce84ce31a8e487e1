{
  'includes': ['../sys/native/binding.gypi'],
  'targets': [{
    'target_name': 'namespaces',
    'sources': ['native/binding.cc', 'native/ops.c'],
  }],
}
